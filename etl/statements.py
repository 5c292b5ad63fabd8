"""The statements of a load: staging tables, what changed, and the set-based writes into the real tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    CTE,
    BigInteger,
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
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.sql.dml import ReturningDelete

from graphql_api.db.models import Base, Characteristic, HelpfulVote, Moderation, Photo, Product, Rating, Report, Review

EVERYTHING_CHANGED = select(func.record_change(array(["all"]), 0))
"""Tells those who keep answers to forget them: rows that came past the triggers are recorded by nobody else."""

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
    "products": "product_id",
    "characteristics": "characteristic_id",
    "reviews": "review_id",
    "photos": "photo_id",
    "ratings": "rating_id",
}
_KEPT = frozenset({"photo_count", "relevance"})
PHOTO_COUNT = "photo_count"
LARGEST_INTEGER = 2**31 - 1


def _staging(real: Table) -> Table:
    columns = [Column(column.name, column.type) for column in real.columns if column.name != "relevance"]
    return Table(f"staged_{real.name}", MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


STAGED: dict[str, Table] = {name: _staging(real) for name, real in REAL.items()}
"""Temporary twins of the real tables, without keys, and without the column that the database computes."""

MISSING = Table(
    "missing_rows",
    MetaData(),
    Column("table_name", Text),
    Column("number", BigInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""Numbers of rows that the last load brought and this one has not."""


def columns_of(table: str) -> list[str]:
    """The columns that a file's rows fill, in the order of a row's values."""
    return [column.name for column in STAGED[table].columns if column.name not in _KEPT]


def copied_columns(table: str) -> list[str]:
    """The columns of a row as it is copied: those of the file, and for a review the number of its photos."""
    return [*columns_of(table), *[PHOTO_COUNT] * (table == "reviews")]


def _key(table: str) -> list[str]:
    return [column.name for column in REAL[table].primary_key.columns]


def _merged(column: str, real: Any, new: Any) -> ColumnElement[Any]:
    """What a row that is there becomes: what shoppers did through the gateway is kept beside what the file says."""
    if column == "reported":
        here = exists(_of_review(Report, literal(value=True)))
        by_reports = or_(new.reported, and_(real.reported, here))
        return _decided(literal_column("reviews.product_id"), literal_column("reviews.review_id"), by_reports)
    if column == "helpfulness":
        votes = _of_review(HelpfulVote, func.count()).scalar_subquery()
        return cast("ColumnElement[Any]", func.least(new.helpfulness + votes, LARGEST_INTEGER))
    return cast("ColumnElement[Any]", new[column])


def _of_review(written: type[HelpfulVote | Report], what: Any) -> Select[Any]:
    """``what`` of the votes or reports of the row of ``reviews`` in hand that came through the gateway."""
    # As text: in ON CONFLICT the table is no FROM of the statement, so its columns would make it one of this query.
    product: ColumnElement[int] = literal_column("reviews.product_id")
    review: ColumnElement[int] = literal_column("reviews.review_id")
    return (
        select(what)
        .where(written.product_id == product, written.review_id == review, written.undone_by.is_(None))
        .select_from(written)
    )


def _decided(product: Any, review: Any, otherwise: Any) -> ColumnElement[bool]:
    """Whether a review is to be hidden: as an operator has decided last, or ``otherwise``."""
    decided = (
        select(Moderation.action == "HIDE")
        .where(
            Moderation.product_id == product,
            Moderation.review_id == review,
            Moderation.action.in_(["HIDE", "RESTORE"]),
        )
        .order_by(Moderation.moderation_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return cast("ColumnElement[bool]", func.coalesce(decided, otherwise))


def note_hidden_by_files() -> Any:
    """Let the reports of what the files hide now hide it no more: to undo them will not show it."""
    staged = STAGED["reviews"].c
    return (
        update(Report)
        .where(
            Report.product_id == staged.product_id,
            Report.review_id == staged.review_id,
            Report.found_visible,
            staged.reported,
        )
        .values(found_visible=False)
    )


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
    if table == "products":
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
    below = ("reviews", "photos", "ratings")
    touched: CompoundSelect[Any] = union(
        *(select(STAGED[table].c.product_id, STAGED[table].c.review_id) for table in below),
        *(
            select(REAL[table].c.product_id, REAL[table].c.review_id).join(
                MISSING, and_(MISSING.c.table_name == table, MISSING.c.number == number_of(table))
            )
            for table in below
        ),
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
    values: dict[str, Any] = {name: staged.c[name] for name in names}
    if table == "reviews":
        # A review that had been removed comes back as an operator left it.
        values["reported"] = _decided(staged.c.product_id, staged.c.review_id, staged.c.reported).label("reported")
    rows: Select[Any] = select(*values.values()).order_by(*(staged.c[name] for name in key))
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


def number_of(table: str) -> Column[Any]:
    """The column that holds the number of the file's row."""
    return REAL[table].c[_NUMBERS[table]]


def from_files(table: str, first_number: int) -> Select[int, int]:
    """How many rows ``table`` has that a file brought, whose numbers lie below the gateway's; and their sum."""
    number = number_of(table)
    return select(func.count(), sql_cast(func.coalesce(func.sum(number), 0), BigInteger)).where(number < first_number)


def numbers_from_files(table: str, first_number: int) -> Select[int]:
    """Their numbers."""
    return select(number_of(table)).where(number_of(table) < first_number)


def lock_missing(table: str) -> Select[int]:
    """Lock the missing rows of ``table``.

    In a statement before the one that prunes, which then sees what shoppers have added below them up to the lock.
    """
    gone = select(MISSING.c.number).where(MISSING.c.table_name == table)
    key = list(REAL[table].primary_key.columns)
    locked = select(number_of(table)).where(number_of(table).in_(gone)).order_by(*key).with_for_update()
    return select(func.count()).select_from(locked.subquery())


def renumbered(table: str) -> ReturningDelete[int]:
    """Take out of the missing rows those whose number the writes have changed: such a row is not there any more.

    Only a rating's number can change, for it is no part of its key.
    """
    there = exists().where(number_of(table) == MISSING.c.number)
    return delete(MISSING).where(MISSING.c.table_name == table, ~there).returning(MISSING.c.number)


def prune(table: str) -> Delete:
    """Remove the missing rows of ``table``, but for parents of what shoppers wrote here. Children come first."""
    real = REAL[table]
    gone = select(MISSING.c.number).where(MISSING.c.table_name == table)
    statement = delete(real).where(number_of(table).in_(gone))
    for child in ("characteristics", "reviews") if table == "products" else ():
        children = REAL[child]
        statement = statement.where(~exists().where(children.c.product_id == real.c.product_id))
    if table == "characteristics":
        ratings = REAL["ratings"].c
        statement = statement.where(
            ~exists().where(
                ratings.product_id == real.c.product_id, ratings.characteristic_id == real.c.characteristic_id
            )
        )
    return statement


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
