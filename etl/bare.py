"""What a first load takes off the tables and puts back: foreign keys and secondary indexes.

Row by row a foreign key costs some 11 µs and the indexes of a review 200 µs; over all rows at once, on two cores, less
than a tenth of it. The primary keys stay: they refuse a key that comes twice.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Table
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex, ExecutableDDLElement

from etl.statements import REAL
from graphql_api.db.models import Base

_FIGURES = ("product_figures", "characteristic_figures")
_TABLES: list[Table] = [*REAL.values(), *(Base.metadata.tables[name] for name in _FIGURES)]


def _foreign_keys() -> list[ForeignKeyConstraint]:
    return [
        constraint
        for table in _TABLES
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: str(one.name))
    ]


def _indexes() -> list[Index]:
    return [index for table in _TABLES for index in sorted(table.indexes, key=lambda one: str(one.name))]


def take_off() -> list[ExecutableDDLElement]:
    """Statements that leave the tables with their primary keys. They lock out readers until the transaction ends."""
    return [
        *(DropConstraint(key) for key in _foreign_keys()),
        *(DropIndex(index) for index in _indexes()),
    ]


def put_back() -> list[ExecutableDDLElement]:
    """Statements that make what ``take_off`` took; each foreign key is checked over all rows."""
    return [
        *(CreateIndex(index) for index in _indexes()),
        # Isolated, a key would be missing from every CREATE TABLE that these models write afterwards.
        *(AddConstraint(key, isolate_from_table=False) for key in _foreign_keys()),
    ]
