"""The interface of everything that has a global id."""

from __future__ import annotations

import strawberry
from graphql import GraphQLField, GraphQLObjectType

from graphql_api.schema import identity


@strawberry.interface(description="Something that can be fetched again by its id alone.")
class Node:
    """The base of types with a global id; each is made of a row that has the numbers of ``identity.COLUMNS``."""

    @strawberry.field(description="The global id: opaque, stable, and unique over all types.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(identity.of_row(type(self).__name__, self.row))  # type: ignore[attr-defined] # each has one


def is_id(definition: GraphQLField | None, parent: GraphQLObjectType) -> bool:
    """Whether a field of ``parent`` is its global id, which its row says."""
    return definition is parent.fields.get("id") and parent.name in identity.COLUMNS
