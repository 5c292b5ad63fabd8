"""How many objects a field brings, said where the field is: what the limit of cost goes by.

A field that says nothing brings one. Of a connection the number is a page's where none is asked for, of a look-up by
ids a list's that cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_interface_type, is_object_type

_KEY = "objects"


def bringing(count: int) -> dict[str, Any]:
    """The metadata of a field that brings so many objects."""
    return {_KEY: count}


@dataclass(frozen=True)
class Objects:
    """By the names of fields: how many objects they bring, and which of them are connections, whose pages have a size.

    Fields of one name say the same.
    """

    counts: Mapping[str, int]
    connections: frozenset[str]


def objects_of(schema: GraphQLSchema) -> Objects:
    """What the fields of ``schema`` say. Raises ``ValueError`` where two of one name differ."""
    counts: dict[str, int] = {}
    connections = set()
    for type_ in schema.type_map.values():
        if not (is_object_type(type_) or is_interface_type(type_)):
            continue
        for name, field in type_.fields.items():
            definition = field.extensions.get("strawberry-definition")
            count = getattr(definition, "metadata", {}).get(_KEY)
            if count is None:
                continue
            if counts.setdefault(name, count) != count:
                raise ValueError(
                    f"{type_.name}.{name} brings {count} objects, another field of that name {counts[name]}."
                )
            if get_named_type(field.type).name.endswith("Connection"):
                connections.add(name)
    return Objects(counts, frozenset(connections))
