"""Arguments of a field in a plan: constants, look-ups of variables, and what else there is as graphql-core reads it."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    Undefined,
    VariableNode,
    Visitor,
    get_argument_values,
    get_named_type,
    is_leaf_type,
    visit,
)
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry import UNSET
from strawberry.types.arguments import StrawberryArgument, convert_argument, convert_arguments
from strawberry.types.field import StrawberryField

from graphql_api.execution.plans.source import Source
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.execution.plans.variables import Variables
from graphql_api.schema.build import Schema

_NONE = VariableValues({}, {})


class Arguments:
    """Writes the keyword arguments that a field's resolver is called with."""

    def __init__(self, schema: Schema, variables: Variables) -> None:
        self._registry, self._config = schema.schema_converter.scalar_registry, schema.config
        self._variables = variables

    def of(self, source: Source, field: StrawberryField, definition: GraphQLField, node: FieldNode) -> str:
        """``first=..., after=...``, or ``""``."""
        if not definition.args:
            return ""
        if not _uses_variables(node):
            try:
                values = self._converted(field, get_argument_values(definition, node, _NONE))
            except GraphQLError as error:
                raise UnsupportedError("arguments") from error
            return ", ".join(f"{name}={source.constant(name, value)}" for name, value in values.items())
        direct = self._direct(source, field, definition, node)
        if direct is not None:
            return direct

        def from_graphql(values: VariableValues) -> dict[str, Any]:
            return self._converted(field, get_argument_values(definition, node, values))

        return f"**{source.constant(f'arguments_{node.name.value}', from_graphql)}(s.variable_values())"

    def _converted(self, field: StrawberryField, values: dict[str, Any]) -> dict[str, Any]:
        return convert_arguments(values, field.arguments, self._registry, self._config)

    def _direct(self, source: Source, field: StrawberryField, definition: GraphQLField, node: FieldNode) -> str | None:
        """The same where each argument is a variable or has none in it; ``None`` where that is not so."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        names = {self._config.name_converter.from_argument(argument): argument for argument in field.arguments}
        constants = FieldNode(
            name=node.name, arguments=tuple(a for a in node.arguments or () if not _uses_variables(a))
        )
        parts = []
        for name, argument in names.items():
            value, type_ = given.get(name), definition.args[name]
            if isinstance(value, VariableNode):
                if isinstance(type_.type, GraphQLNonNull) and value.name.value not in self._variables.required:
                    return None
                parts.append(f"{argument.python_name}={self._variable(source, argument, type_, value.name.value)}")
            elif value is not None and _uses_variables(value):
                return None
        only = {n: a for n, a in definition.args.items() if not isinstance(given.get(n), VariableNode)}
        rest = self._converted(field, get_argument_values(GraphQLField(definition.type, args=only), constants, _NONE))
        parts.extend(f"{name}={source.constant(name, value)}" for name, value in rest.items())
        return ", ".join(parts)

    def _variable(self, source: Source, argument: StrawberryArgument, type_: GraphQLArgument, variable: str) -> str:
        if variable in self._variables.optional:
            default = coerce_default_value(type_)
            if default is Undefined:
                if argument.default is UNSET:
                    raise UnsupportedError("arguments")
                default = argument.default
            value = f"v.get({variable!r}, {source.constant(f'{argument.python_name}_default', default)})"
        else:
            value = f"v[{variable!r}]"
        if not _needs_conversion(type_):
            return value

        def convert(value: Any) -> Any:
            return convert_argument(value, argument.type, self._registry, self._config)

        return f"{source.constant(f'converted_{argument.python_name}', convert)}({value})"


def _needs_conversion(type_: GraphQLArgument) -> bool:
    return not is_leaf_type(get_named_type(type_.type))


def _uses_variables(node: Any) -> bool:
    found = False

    class Finder(Visitor):
        def enter_variable(self, *_: Any) -> None:
            nonlocal found
            found = True

    visit(node, Finder())
    return found
