"""The schema, put together."""

from __future__ import annotations

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLSchema,
    Undefined,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)
from strawberry.types import ExecutionContext

from graphql_api.mutations.root import Mutation
from graphql_api.schema.photo import Photo
from graphql_api.schema.query import Query
from graphql_api.schema.scalars import schema_config


class Schema(strawberry.Schema):
    """Strawberry's schema; errors are logged by the endpoint, which knows which of them are ours."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core knows it."""
        return self._schema

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave the errors to the endpoint."""


def build_schema(*, suggestions: bool = True) -> Schema:
    """The schema; ``suggestions``: whether errors propose names that exist."""
    schema = Schema(query=Query, mutation=Mutation, types=[Photo], config=schema_config(suggestions=suggestions))
    _drop_null_defaults(schema.graphql_schema)
    return schema


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Print ``first: Int`` and not ``first: Int = null``: a Python default of ``None`` only says "may be absent"."""
    for type_ in schema.type_map.values():
        inputs: list[GraphQLArgument | GraphQLInputField] = []
        if type_.name.startswith("__"):
            continue
        if is_input_object_type(type_):
            inputs.extend(type_.fields.values())
        elif is_object_type(type_) or is_interface_type(type_):
            inputs.extend(argument for field in type_.fields.values() for argument in field.args.values())
        for given in inputs:
            if given.default_value is None:
                given.default_value = Undefined
