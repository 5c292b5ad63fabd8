"""What fields that are made of rows say of themselves, and what plans may go by."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, get_named_type

from graphql_api.schema.build import build_schema
from graphql_api.schema.loaded import Each, LoadedField
from loaders.page import Page

SCHEMA = build_schema(suggestions=False).graphql_schema


def declared() -> Iterator[tuple[str, LoadedField, type]]:
    """The fields that say where their rows are, each with its name and the class of what it shows."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                own = field.extensions["strawberry-definition"]
                if isinstance(own, LoadedField) and own.each is not None:
                    shown = get_named_type(field.type)
                    yield f"{type_.name}.{name}", own, shown.extensions["strawberry-definition"].origin


FIELDS = list(declared())


@pytest.mark.parametrize(("field", "shown"), [one[1:] for one in FIELDS], ids=[one[0] for one in FIELDS])
def test_what_has_an_object_of_each_row_is_made_of_the_rows_alone(field: LoadedField, shown: type) -> None:
    row_class = typing.get_type_hints(shown)["row"]
    (row_class,) = typing.get_args(row_class)[:1] or (row_class,)
    rows = [row_class(*[number] * len(row_class._fields)) for number in range(3)]
    values = {Each.ONE: rows[2], Each.VALUE: rows, Each.PAGE: Page(rows, has_previous=False, has_next=True)}
    expected = shown(row=rows[2]) if field.each is Each.ONE else [shown(row=row) for row in rows]
    assert field.show(object(), values[field.each]) == expected
    assert list(inspect.signature(field.show).parameters)[2:] == [], "a plan gives it no arguments"


def test_reviews_photos_and_characteristics_are_among_them() -> None:
    assert {"Review.photos", "ReviewConnection.nodes", "Product.characteristics"} <= {name for name, *_ in FIELDS}
