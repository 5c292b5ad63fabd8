"""Is the database's structure what the models say: indexes, constraints, triggers, and parents behind foreign keys?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKeyConstraint,
    Index,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
    table,
    values,
)
from sqlalchemy.dialects.postgresql import REGCLASS

from graphql_api.db.models import Base

Differences = Select[Any, Any, Any, Any]

_TABLES: tuple[Table, ...] = tuple(Base.metadata.sorted_tables)
INDEXES: dict[str, Index] = {str(index.name): index for table in _TABLES for index in table.indexes}
"""The indexes that belong to no constraint, by name."""


def orphans(key: ForeignKeyConstraint) -> Differences:
    """(product, number, a parent, nothing) of each row whose parent is not there, whatever the key's trigger did."""
    child, parent = key.table, key.referred_table
    pairs = [(element.parent, element.column) for element in key.elements]
    product, number = child.c.product_id, list(child.primary_key.columns)[-1]
    return (
        select(product, cast(number, Text), literal(f"one of {parent.name}"), literal(None, Text))
        .outerjoin(parent, and_(*(own == other for own, other in pairs)))
        .where(next(iter(parent.primary_key.columns)).is_(None))
    )


def parents() -> dict[str, Differences]:
    """The check of each foreign key, by what it is called."""
    keys = [
        key for one in _TABLES for key in sorted(one.foreign_key_constraints, key=lambda key: key.referred_table.name)
    ]
    return {f"parent of {key.table.name} in {key.referred_table.name}, number": orphans(key) for key in keys}


def indexes() -> Differences:
    """(nothing, index, valid, what it is) of each index that is missing or was never finished."""
    catalog = table("pg_index", column("indexrelid"), column("indisvalid", Boolean))
    names = [*INDEXES, *(str(one.primary_key.name) for one in _TABLES)]
    expected = values(column("name", Text), name="expected").data([(name,) for name in names])
    found = func.to_regclass(expected.c.name)
    return (
        select(
            literal(None),
            expected.c.name,
            literal("valid"),
            case((catalog.c.indisvalid.is_(False), literal("unfinished")), else_=literal(None, Text)),
        )
        .select_from(expected)
        .outerjoin(catalog, catalog.c.indexrelid == found)
        .where(func.coalesce(catalog.c.indisvalid, False).is_(False))
    )


def constraints() -> Differences:
    """(nothing, constraint, valid, what it is) of each constraint that is missing or was never checked."""
    catalog = table("pg_constraint", column("conname"), column("convalidated", Boolean), column("conrelid"))
    names = sorted((str(one.name), of.name) for of in _TABLES for one in of.constraints if one.name)
    expected = values(column("name", Text), column("of", Text), name="expected").data(names)
    return (
        select(
            literal(None),
            expected.c.name,
            literal("valid"),
            case((catalog.c.convalidated.is_(False), literal("unchecked")), else_=literal(None, Text)),
        )
        .select_from(expected)
        .outerjoin(
            catalog,
            and_(
                cast(catalog.c.conname, Text) == expected.c.name,
                catalog.c.conrelid == func.to_regclass(expected.c.of),
            ),
        )
        .where(func.coalesce(catalog.c.convalidated, False).is_(False))
    )


def triggers() -> Differences:
    """(nothing, trigger, on, off) of each trigger of our tables that is switched off, foreign keys' ones too."""
    catalog = table("pg_trigger", column("tgname"), column("tgrelid"), column("tgenabled"))
    ours = [cast(literal(one.name), REGCLASS) for one in _TABLES]
    return (
        select(literal(None), cast(catalog.c.tgname, Text), literal("on"), literal("off"))
        .where(catalog.c.tgrelid.in_(ours), catalog.c.tgenabled == "D")
        .order_by(catalog.c.tgname)
    )


CHECKS: dict[str, Differences] = {
    **parents(),
    "index": indexes(),
    "constraint": constraints(),
    "trigger": triggers(),
}
