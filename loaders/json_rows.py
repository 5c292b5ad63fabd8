"""Rows that PostgreSQL writes as the JSON that an answer shows of them.

Python takes a microsecond for each value that it reads, checks and puts into a dict; PostgreSQL writes a whole review
in two, and on another core. The columns say how they are written, so that no field is declared a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    SmallInteger,
    Text,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.elements import KeyedColumnElement

if TYPE_CHECKING:
    from loaders.batch import BatchLoader

MOST_FIELDS = 30
"""Of one object: PostgreSQL's functions take 100 arguments, and a field is three at the most."""

# A colon before a letter would be a variable to psql and pgbench.
_MOMENT = 'YYYY-MM-DD"T"HH24":"MI":"SS.MS"Z"'
"""As ``serialize_datetime`` writes it: three places, what is smaller cut off."""

# What the driver makes of -infinity and infinity.
_FIRST, _LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"


@dataclass(frozen=True, slots=True)
class JsonColumn:
    """A column's value; ``is_id``: as a string, though it is a number."""

    name: str
    is_id: bool = False


@dataclass(frozen=True, slots=True)
class JsonId:
    """A global id: the base64, unpadded, of a type's name and the numbers of ``columns`` with colons between them."""

    type_name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonWord:
    """The same string for every row."""

    text: str


@dataclass(frozen=True, slots=True)
class JsonList:
    """What ``loader`` brings for the row: see its ``json_beside``."""

    loader: type[BatchLoader[Any, Any]]
    rows: JsonRows


@dataclass(frozen=True, slots=True)
class JsonChoice:
    """One of ``words``, a JSON object of arrays: by a column of a found row, and a column that counts from 1."""

    words: str
    by: str
    number: str


@dataclass(frozen=True, slots=True)
class JsonFound:
    """What is shown of the one row of ``loader``'s table that has the same product and ``column``, and is there."""

    loader: type[BatchLoader[Any, Any]]
    column: str
    shown: JsonRows | JsonChoice


JsonPart: TypeAlias = JsonColumn | JsonId | JsonWord | JsonList | JsonFound


@dataclass(frozen=True, slots=True, eq=False)
class JsonRows:
    """What is shown of each row, under which key. Made by ``json_rows``, so that equal ones are the same."""

    fields: tuple[tuple[str, JsonPart], ...]


@lru_cache(maxsize=1024)
def json_rows(fields: tuple[tuple[str, JsonPart], ...]) -> JsonRows:
    """The ``JsonRows`` of ``fields``: a kind that has them is found without a comparison of each."""
    return JsonRows(fields)


# By class and not by kinship: SQLAlchemy's BigInteger is an Integer, and more than GraphQL's Int holds.
_WRITTEN: dict[str, frozenset[type]] = {
    "String": frozenset({Text}),
    "Int": frozenset({Integer, SmallInteger}),
    "Boolean": frozenset({Boolean}),
    "DateTime": frozenset({DateTime}),
    "ID": frozenset({BigInteger}),
}


def json_column(column: KeyedColumnElement[Any], scalar: str, *, nullable: bool) -> JsonColumn | None:
    """How ``column`` is written as a ``scalar`` of the schema; ``None`` where that is left to Python."""
    if column.nullable and (not nullable or scalar != "String"):
        return None
    return JsonColumn(column.key, scalar == "ID") if type(column.type) in _WRITTEN.get(scalar, ()) else None


class FoundRows:
    """What the parts of ``rows`` find among the rows of a product: arrays, read once for all that look into them.

    A join would look each of them up anew, in an index: for 18 ratings of a page that took as many look-ups as all
    else that it shows.
    """

    def __init__(self, rows: JsonRows, product: FromClause) -> None:
        self._tables: dict[tuple[type[BatchLoader[Any, Any]], str], FromClause] = {}
        self._parts = list(dict.fromkeys(_found_in(rows)))
        for loader, column in dict.fromkeys((part.loader, part.column) for part in self._parts):
            table = _table(loader)
            # Aggregates without an order of their own take the rows in the same one.
            arrays = [func.array_agg(table.c[column]).label("places")] + [
                func.array_agg(_of_found(part.shown, table)).label(self._name(part))
                for part in self._parts
                if (part.loader, part.column) == (loader, column)
            ]
            of_product = select(*arrays).where(table.c.product_id == product.c.product_id)
            self._tables[loader, column] = of_product.correlate(product).subquery(f"found_{len(self._tables) + 1}")

    def joined(self, page: FromClause) -> FromClause:
        """``page`` with the arrays beside each of its rows."""
        for table in self._tables.values():
            page = page.join(table, true())
        return page

    def shown(self, part: JsonFound, row: FromClause) -> ColumnElement[Any]:
        """What is shown of the row that ``row`` means."""
        table = self._tables[part.loader, part.column]
        place = func.array_position(table.c.places, row.c[part.column])
        found: ColumnElement[Any] = table.c[self._name(part)][place]
        if isinstance(part.shown, JsonRows):
            return found
        return cast(found.op("->")(row.c[part.shown.number] - literal(1, literal_execute=True)), Text)

    def _name(self, part: JsonFound) -> str:
        return f"shown_{self._parts.index(part) + 1}"


def _found_in(rows: JsonRows) -> Iterator[JsonFound]:
    for _, part in rows.fields:
        if isinstance(part, JsonFound):
            yield part
        elif isinstance(part, JsonList):
            yield from _found_in(part.rows)


def _of_found(shown: JsonRows | JsonChoice, found: FromClause) -> ColumnElement[Any]:
    """Of a row that may be found: the object that is shown of it, or the words of which one will be."""
    if isinstance(shown, JsonRows):
        return json_objects(shown, found)
    return cast(_text(shown.words), JSONB).op("->", return_type=JSONB())(found.c[shown.by])


def json_objects(rows: JsonRows, row: FromClause, found: FoundRows | None = None) -> ColumnElement[str]:
    """The text of the JSON object of ``row``, by its columns, and by what it finds in ``found``."""
    parts: list[ColumnElement[Any]] = []
    text = "{"
    for key, part in rows.fields:
        before, values, after = _written(part, row, found)
        parts += [_text(f'{text}"{key}":{before}'), *values]
        text = f"{after},"
    return func.concat(*parts, _text(text.rstrip(",") + "}"), type_=Text())


def json_array(objects: ColumnElement[str], order: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
    """The text of the array of ``objects`` of many rows, in ``order``."""
    return func.concat(_text("["), _listed(objects, order), _text("]"), type_=Text())


def json_list(
    rows: JsonRows,
    table: FromClause,
    order: ColumnElement[Any],
    conditions: Sequence[ColumnElement[bool]],
    found: FoundRows | None,
) -> ColumnElement[str]:
    """The objects of the rows of ``table`` that fit, in ``order``, with commas between them; null for none."""
    listed = _listed(json_objects(rows, table, found), [order])
    return select(listed).select_from(table).where(*conditions).scalar_subquery()


def _listed(objects: ColumnElement[str], order: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
    return func.string_agg(objects, aggregate_order_by(_text(","), *order), type_=Text())


def _written(part: JsonPart, row: FromClause, found: FoundRows | None) -> tuple[str, list[ColumnElement[Any]], str]:
    """The text before a value, what PostgreSQL makes of it, and the text behind."""
    match part:
        case JsonWord(text):
            return f'"{text}"', [], ""
        case JsonList(loader, rows):
            return "[", [loader.json_beside(row, rows, found)], "]"
        case JsonFound():
            assert found is not None, "who writes rows says where others are found"
            return "", [found.shown(part, row)], ""
        case JsonId(type_name, columns):
            return '"', [_base64(type_name, [row.c[name] for name in columns])], '"'
        case JsonColumn(name, is_id):
            column: ColumnElement[Any] = row.c[name]
            quote = '"' if is_id or isinstance(column.type, DateTime) else ""
            return quote, [_value(column)], quote
    assert_never(part)


def _table(loader: type[BatchLoader[Any, Any]]) -> FromClause:
    assert loader.table is not None, "what is written as JSON has columns"
    return loader.table


def _value(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Text):
        return func.coalesce(cast(func.to_json(column), Text), _text("null"))
    if isinstance(column.type, DateTime):
        within = func.least(func.greatest(column, _moment(_FIRST)), _moment(_LAST))
        return func.to_char(func.timezone(_text("UTC"), within), _text(_MOMENT))
    # Of a bool the cast says true, where concat says t.
    return cast(column, Text) if isinstance(column.type, Boolean) else column


def _base64(type_name: str, numbers: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    parts = [part for number in numbers for part in (_text(":"), number)]
    plain = func.convert_to(func.concat(_text(type_name), *parts), _text("UTF8"))
    # PostgreSQL breaks the line after 76 characters, and pads.
    return func.translate(func.encode(plain, _text("base64")), _text("\n="), _text(""))


def _moment(moment: str) -> ColumnElement[datetime]:
    return cast(_text(moment), DateTime(timezone=True))


def _text(text: str) -> ColumnElement[str]:
    """``text`` written into the statement."""
    return literal(text, Text(), literal_execute=True)
