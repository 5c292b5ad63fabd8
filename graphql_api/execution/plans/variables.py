"""Variables of an operation, coerced by what was worked out of their definitions once.

A value of the usual class passes at once; any other goes through graphql-core. What graphql-core refuses is not
described here: the reference runs the operation and says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    coerce_input_value,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, get_variable_values, input_is_nested_too_deeply
from graphql.utilities.coerce_input_value import coerce_default_value

from graphql_api.execution.plans.unsupported import UnsupportedError

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


class Variables:
    """The variables of ``operation``. ``required`` are never null, ``optional`` may be absent."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._rules: list[tuple[str, Callable[[Any], Any], Any, bool]] = []
        self.optional: set[str] = set()
        self.required: set[str] = set()
        definitions = operation.variable_definitions or ()
        for definition in definitions:
            signature = get_variable_signature(schema, definition)
            if isinstance(signature, GraphQLError):
                raise UnsupportedError("variables")
            default = coerce_default_value(signature) if signature.default else Undefined
            required = isinstance(signature.type, GraphQLNonNull)
            if required:
                self.required.add(signature.name)
            elif default is Undefined:
                self.optional.add(signature.name)
            self._rules.append((signature.name, _coercion(signature.type), default, required))
        self._schema, self._definitions = schema, definitions

    def coerced_by_graphql(self, raw: dict[str, Any]) -> list[GraphQLError] | VariableValues:
        """The values as graphql-core has them, or what is wrong with them."""
        return get_variable_values(self._schema, self._definitions, raw)

    def coerced(self, raw: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values, or ``None`` where one of them cannot be had."""
        values = {}
        for name, coerce, default, required in self._rules:
            value = raw.get(name, Undefined)
            if value is Undefined:
                if default is not Undefined:
                    values[name] = default
                elif required:
                    return None
            elif value is None:
                if required:
                    return None
                values[name] = None
            else:
                value = coerce(value)
                if value is Undefined:
                    return None
                values[name] = value
        return values


def _coercion(type_: GraphQLInputType) -> Callable[[Any], Any]:
    """What makes a value of ``type_`` of one that is not null; ``Undefined`` where that cannot be."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_

    def any_value(value: Any) -> Any:
        return Undefined if input_is_nested_too_deeply(value, inner) else coerce_input_value(value, inner)

    def string(value: Any) -> Any:
        return value if value.__class__ is str else any_value(value)

    def integer(value: Any) -> Any:
        return value if value.__class__ is int and _SMALLEST <= value <= _LARGEST else any_value(value)

    def boolean(value: Any) -> Any:
        return value if value.__class__ is bool else any_value(value)

    if isinstance(inner, GraphQLEnumType):
        known = {name: inner.coerce_input_value(name) for name in inner.values}

        def enum(value: Any) -> Any:
            return known[value] if value.__class__ is str and value in known else any_value(value)

        return enum
    usual: dict[Any, Callable[[Any], Any]] = {
        GraphQLID: string,
        GraphQLString: string,
        GraphQLInt: integer,
        GraphQLBoolean: boolean,
    }
    return usual.get(inner, any_value)
