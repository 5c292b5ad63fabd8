"""The statements of a load: staging tables, what changed, and the set-based writes into the real tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    CompoundSelect,
    Delete,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from graphql_api.db.models import Base, Characteristic, Photo, Product, Rating, Review

REAL: dict[str, Table] = {
    name: cast("Table", model.__table__)
    for name, model in (
        ("products", Product),
        ("characteristics", Characteristic),
        ("reviews", Review),
        ("photos", Photo),
        ("ratings", Rating),
    )
}
"""The tables a load fills, parents before children."""

# Of every table the column that holds the number of the CSV row.
_NUMBERS = {
    "characteristics": "characteristic_id",
    "reviews": "review_id",
    "photos": "photo_id",
    "ratings": "rating_id",
}
_KEPT = frozenset({"photo_count", "relevance"})


def _staging(real: Table) -> Table:
    columns = [Column(column.name, column.type) for column in real.columns if column.name not in _KEPT]
    return Table(f"staged_{real.name}", MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


STAGED: dict[str, Table] = {name: _staging(real) for name, real in REAL.items()}
"""Temporary twins of the real tables, without keys, and without the columns that the database computes."""


def columns_of(table: str) -> list[str]:
    """The columns of a staged table, in the order of a row's values."""
    return [column.name for column in STAGED[table].columns]


def _key(table: str) -> list[str]:
    return [column.name for column in REAL[table].primary_key.columns]


def _merged(column: str, real: Any, new: Any) -> ColumnElement[Any]:
    """What a row that is there becomes: what shoppers did through the gateway since the export is kept."""
    if column == "reported":
        return cast("ColumnElement[Any]", or_(real.reported, new.reported))
    if column == "helpfulness":
        return func.greatest(real.helpfulness, new.helpfulness)
    return cast("ColumnElement[Any]", new[column])


def _differs(table: str, new: Any) -> ColumnElement[bool]:
    real = REAL[table].c
    values = [name for name in columns_of(table) if name not in _key(table)]
    return or_(*(real[name].is_distinct_from(_merged(name, real, new)) for name in values))


def _same_key(table: str) -> ColumnElement[bool]:
    return and_(*(REAL[table].c[name] == STAGED[table].c[name] for name in _key(table)))


def stage_placeholders() -> Any:
    """Stage a product for every product that a staged characteristic or review names."""
    named = union(*(select(STAGED[table].c.product_id) for table in ("characteristics", "reviews"))).subquery()
    name = literal("Product ", Text) + sql_cast(named.c.product_id, Text)
    return insert(STAGED["products"]).from_select(["product_id", "name"], select(named.c.product_id, name))


def moved(table: str) -> Select[Any] | None:
    """The lowest number that the database has under another parent than the folder; ``None`` for products.

    Not the first one found: for a ``LIMIT`` PostgreSQL walks one table for each row of the other, minutes for nothing.
    """
    if table not in _NUMBERS:
        return None
    real, staged, number = REAL[table], STAGED[table], _NUMBERS[table]
    return select(func.min(staged.c[number])).join_from(
        staged, real, and_(real.c[number] == staged.c[number], ~_same_key(table))
    )


def unstage_unchanged(table: str, *, placeholders: bool) -> Delete:
    """Take the rows out of staging that the database holds as they are; a placeholder changes no product."""
    there = _same_key(table)
    return delete(STAGED[table]).where(there if placeholders else and_(there, ~_differs(table, STAGED[table].c)))


def count(table: Table) -> Select[int]:
    """How many rows ``table`` has."""
    return select(func.count()).select_from(table)


def lock_touched() -> Select[int]:
    """Lock every review that the writes will touch, in the order of the gateway's writers.

    Taken before any figures: a gateway transaction holds its review while it waits for the product's figures, so a
    load that held figures while it waited for a review could deadlock with it.
    """
    real = REAL["reviews"]
    touched: CompoundSelect[Any] = union(
        *(select(STAGED[table].c.product_id, STAGED[table].c.review_id) for table in ("reviews", "photos", "ratings"))
    )
    locked = (
        select(real.c.review_id)
        .where(tuple_(real.c.product_id, real.c.review_id).in_(touched))
        .order_by(real.c.product_id, real.c.review_id)
        .with_for_update()
    )
    return select(func.count()).select_from(locked.subquery())


def write(table: str, *, placeholders: bool) -> Select[int, int]:
    """Write the staged rows in product order; the answer is (rows inserted, rows updated).

    A review comes with the count of its photos, so that the photos' trigger need not write it again.
    """
    real, staged, key = REAL[table], STAGED[table], _key(table)
    names = columns_of(table)
    rows: Select[Any] = select(*(staged.c[name] for name in names)).order_by(*(staged.c[name] for name in key))
    targets = list(names)
    if table == "reviews":
        photos = STAGED["photos"]
        counted = select(photos.c.review_id, func.count().label("photo_count")).group_by(photos.c.review_id).subquery()
        rows = rows.add_columns(func.coalesce(counted.c.photo_count, 0)).join_from(
            staged, counted, staged.c.review_id == counted.c.review_id, isouter=True
        )
        targets.append("photo_count")
    writing = upsert(real).from_select(targets, rows)
    if placeholders:
        writing = writing.on_conflict_do_nothing()
    else:
        new = writing.excluded
        changes = {name: _merged(name, real.c, new) for name in names if name not in key}
        writing = writing.on_conflict_do_update(index_elements=key, set_=changes, where=_differs(table, new))
    # xmax is 0 in a row that was inserted, and the writer's transaction in one that was updated.
    written: CTE = writing.returning(literal_column("xmax = 0").label("inserted")).cte("written")
    inserted = func.count().filter(written.c.inserted)
    return select(inserted, func.count() - inserted).select_from(written)


def recount(table: str) -> Select[int]:
    """How many of the staged rows the real table has."""
    return select(func.count()).select_from(STAGED[table]).join(REAL[table], _same_key(table))


def is_empty() -> Select[bool]:
    """Whether there is no product yet."""
    return select(~exists(select(REAL["products"].c.product_id)))


class SetTriggers(ExecutableDDLElement):
    """Switch a table's own triggers off or on, for everyone, within the transaction."""

    def __init__(self, table: Table, *, enabled: bool) -> None:
        self.table = table
        self.enabled = enabled


class Analyze(ExecutableDDLElement):
    """Let PostgreSQL look at tables, so that it plans with their real sizes."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables


@compiles(SetTriggers)
def _set_triggers(element: SetTriggers, compiler: DDLCompiler, **_: Any) -> str:
    verb = "ENABLE" if element.enabled else "DISABLE"
    return f"ALTER TABLE {compiler.preparer.format_table(element.table)} {verb} TRIGGER USER"


@compiles(Analyze)
def _analyze(element: Analyze, compiler: DDLCompiler, **_: Any) -> str:
    preparer = compiler.preparer
    # With its columns named PostgreSQL leaves out the indexed expressions, whose words cost 5 s of 14 in a first load.
    return "ANALYZE " + ", ".join(
        f"{preparer.format_table(table)} ({', '.join(preparer.format_column(column) for column in table.columns)})"
        for table in element.tables
    )


ANALYZED: list[Table] = [
    *REAL.values(),
    *(Base.metadata.tables[name] for name in ("product_figures", "characteristic_figures", "category_figures")),
]
