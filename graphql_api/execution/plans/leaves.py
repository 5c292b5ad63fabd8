"""Leaf values in a plan: the Python expression that turns a scalar or an enum into what JSON shows of it.

The usual class of value is looked at in place and passes as it is. Any other goes through graphql-core's own
coercion, which converts it or raises.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)

from graphql_api.execution.plans.source import Source

# {v} is a name bound to the value, {x} the expression that gives it, {f} the coercion.
_TESTS = {
    GraphQLString.name: "{v} if ({v} := {x}).__class__ is str else {f}({v})",
    GraphQLID.name: "{v} if ({v} := {x}).__class__ is str else str({v}) if {v}.__class__ is int else {f}({v})",
    GraphQLBoolean.name: "{v} if ({v} := {x}).__class__ is bool else {f}({v})",
    GraphQLInt.name: "{v} if ({v} := {x}).__class__ is int and -2147483648 <= {v} <= 2147483647 else {f}({v})",
    # x - x is 0 for a number, and is not for NaN and the infinities, which JSON does not know.
    GraphQLFloat.name: "{v} if ({v} := {x}).__class__ is float and {v} - {v} == 0 else {f}({v})",
}


class _Names(dict[Any, str]):
    """The name of each value of an enum, asked of graphql-core once."""

    def __init__(self, type_: GraphQLEnumType) -> None:
        super().__init__()
        self._type = type_

    def __missing__(self, value: Any) -> str:
        name: str = self._type.coerce_output_value(value)
        self[value] = name
        return name


def leaf(source: Source, type_: GraphQLLeafType, value: str, *, nullable: bool) -> str:
    """The expression for the leaf that the expression ``value`` gives."""
    name = source.local("v")
    if isinstance(type_, GraphQLEnumType):
        names = source.constant(type_.name, _Names(type_))
        return f"None if ({name} := {value}) is None else {names}[{name}]" if nullable else f"{names}[{value}]"
    coerce = source.constant(f"coerce_{type_.name}", type_.coerce_output_value)
    test = _TESTS.get(type_.name)
    if test is None:
        return f"None if ({name} := {value}) is None else {coerce}({name})" if nullable else f"{coerce}({value})"
    if nullable:
        return f"None if ({name} := {value}) is None else " + test.format(v=name, x=name, f=coerce).replace(
            f"({name} := {name})", name
        )
    return test.format(v=name, x=value, f=coerce)
