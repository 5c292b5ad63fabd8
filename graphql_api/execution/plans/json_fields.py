"""Which selections PostgreSQL can write as JSON: columns, ids, and lists of such rows, all the way down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
)

from graphql_api.schema.column import ColumnField
from graphql_api.schema.identity import COLUMNS
from graphql_api.schema.loaded import Each, LoadedField, OfRow
from graphql_api.schema.node import is_id
from loaders.json_rows import (
    MOST_FIELDS,
    JsonChoice,
    JsonFound,
    JsonId,
    JsonList,
    JsonPart,
    JsonRows,
    JsonWord,
    json_column,
    json_rows,
)

if TYPE_CHECKING:
    from graphql_api.execution.plans.selection import Loader, Selected


def json_of(selected: Selected, loader: Loader) -> JsonRows | None:
    """How PostgreSQL writes the rows of ``loader`` that a list field shows; ``None`` where a plan must.

    Said once, by the fields' declarations: what is neither a column nor an id is Python's.
    """
    assert selected.definition is not None
    type_ = selected.definition.type
    if isinstance(type_, GraphQLNonNull) and isinstance(type_.of_type, GraphQLList):
        return _object(type_.of_type.of_type, selected, loader)
    return None


def _object(type_: GraphQLOutputType, selected: Selected, loader: Loader) -> JsonRows | None:
    """How an object that is never null is written of a row of ``loader``."""
    if not (isinstance(type_, GraphQLNonNull) and isinstance(type_.of_type, GraphQLObjectType)):
        return None
    fields = selected.below[type_.of_type.name]
    if len(fields) > MOST_FIELDS or loader.table is None:
        return None
    parts = [(one.key, _part(one, type_.of_type, loader)) for one in fields]
    written = tuple([(key, part) for key, part in parts if part is not None])
    return json_rows(written) if len(written) == len(parts) else None


def _part(selected: Selected, parent: GraphQLObjectType, loader: Loader) -> JsonPart | None:
    field, definition = selected.field, selected.definition
    if definition is None:
        return JsonWord(parent.name)
    if isinstance(field, ColumnField):
        return _column(field, definition.type, loader)
    if isinstance(field, LoadedField):
        return _loaded(selected, field, definition.type, loader)
    if is_id(definition, parent):
        return JsonId(parent.name, COLUMNS[parent.name])
    return None


def _column(field: ColumnField, type_: GraphQLOutputType, loader: Loader) -> JsonPart | None:
    assert loader.table is not None
    column = loader.table.c.get(field.attribute or field.python_name)
    named = get_named_type(type_)
    if isinstance(named, GraphQLEnumType):
        # The column holds the names, or its values would have to be translated.
        scalar = "String" if all(name == value.value for name, value in named.values.items()) else ""
    else:
        scalar = named.name
    return None if column is None else json_column(column, scalar, nullable=not isinstance(type_, GraphQLNonNull))


def _loaded(selected: Selected, field: LoadedField, type_: GraphQLOutputType, loader: Loader) -> JsonPart | None:
    if not isinstance(field.source, OfRow):
        return None
    below = field.source.kind.loader
    if field.find is not None and below.table is not None and field.source.by_product:
        shown: JsonRows | JsonChoice | None = None
        if field.choice is not None:
            shown = JsonChoice(json.dumps(field.choice.words, ensure_ascii=False), field.choice.by, field.choice.number)
        elif field.of_found:
            shown = _object(type_, selected, below)
        return None if shown is None else JsonFound(below, field.find, shown)
    if field.each is not Each.VALUE or below not in loader.may_have_ahead:
        return None
    rows = json_of(selected, below)
    return None if rows is None else JsonList(below, rows)
