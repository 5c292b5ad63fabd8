"""A database in which chosen statements fail or find less: real privileges of the role that a gateway connects as."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import Table

from graphql_api.db.models import Base
from graphql_api.settings import Secret
from tests.harness.databases import rows, run

_PASSWORD = "rain"
_BOOKKEEPING = (
    "helpful_votes",
    "reports",
    "idempotency_keys",
    "loads",
    "load_progress",
    "load_chunks",
    "load_marks",
    "documents",
)


class Weather(NamedTuple):
    """What the database lacks, and the SQL that makes it so and good again."""

    name: str
    begin: str
    end: str


CLEAR = Weather("clear", "", "")


@contextmanager
def role_of(url: str) -> Iterator[tuple[str, Secret]]:
    """A role that may read and write all of the database ``url``, which is less than its owner, and its address."""
    role = f"reviews_judge_{os.getpid()}"
    host = urlsplit(url).netloc.rpartition("@")[2]
    own = urlunsplit(urlsplit(url)._replace(netloc=f"{role}:{_PASSWORD}@{host}"))
    run(
        url,
        f"CREATE ROLE {role} LOGIN PASSWORD '{_PASSWORD}';"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
        f" GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    try:
        yield role, Secret(own)
    finally:
        run(url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def weathers(url: str, role: str) -> list[list[Weather]]:
    """By kind: a table or a column that cannot be read, a function that cannot be called, a table with gaps."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in _BOOKKEEPING]
    functions = rows(
        url,
        "SELECT oid::regprocedure::text AS name FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND provolatile = 'i' ORDER BY 1",
    )
    return [
        [_closed(table, role) for table in tables],
        [weather for table in tables for weather in _columns(table, role)],
        [_uncallable(name) for (name,) in functions],
        [weather for table in tables for weather in _gaps(table)],
    ]


@asynccontextmanager
async def under(weather: Weather, connection: asyncpg.Connection) -> AsyncIterator[None]:
    """``weather`` for the time of the context."""
    if weather.begin:
        await connection.execute(weather.begin)
    try:
        yield
    finally:
        if weather.end:
            await connection.execute(weather.end)


def _closed(table: Table, role: str) -> Weather:
    return Weather(
        f"{table.name} cannot be read",
        f"REVOKE SELECT ON {table.name} FROM {role}",
        f"GRANT SELECT ON {table.name} TO {role}",
    )


def _uncallable(function: str) -> Weather:
    return Weather(
        f"nobody may call {function}",
        f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
    )


def _columns(table: Table, role: str) -> Iterator[Weather]:
    """One column each: statements over the same table fail or not by what they select."""
    for hidden in table.columns:
        others = ", ".join(column.name for column in table.columns if column is not hidden)
        yield Weather(
            f"{table.name}.{hidden.name} cannot be read",
            f"REVOKE SELECT ON {table.name} FROM {role}; GRANT SELECT ({others}) ON {table.name} TO {role}",
            f"REVOKE SELECT ({others}) ON {table.name} FROM {role}; GRANT SELECT ON {table.name} TO {role}",
        )


def _gaps(table: Table) -> Iterator[Weather]:
    """Rows that are gone while others still name them, as they are for a moment when somebody deletes them."""
    number = next((column.name for column in reversed(list(table.primary_key)) if column.name.endswith("_id")), None)
    conditions = ["false"] + [f"{number} % 2 = {rest}" for rest in (0, 1) if number is not None]
    for condition in conditions:
        yield Weather(
            f"of {table.name} only the rows with {condition} are there",
            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY gaps ON {table.name} FOR SELECT USING ({condition})",
            f"DROP POLICY gaps ON {table.name}; ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY",
        )
