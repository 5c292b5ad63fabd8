"""A PostgreSQL for the tests, and databases on it that the real migrations made."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Secret, Settings

_numbers = itertools.count(1)


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The server of DATABASE_URL, else an embedded one in ``folder`` for the time of the context."""
    given = Settings.from_environment({"DATABASE_URL": os.environ.get("DATABASE_URL", "")}).database_url
    if given is not None:
        yield given
        return
    embedded = EmbeddedPostgres.of(folder)
    try:
        with embedded.running() as url:
            yield url
    finally:
        shutil.rmtree(embedded.data, ignore_errors=True)


class Databases:
    """Makes databases on one server and drops them at the end."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: list[str] = []
        self._migrated: str | None = None

    def empty(self) -> str:
        """The address of a new database without tables."""
        return self._create("template0")

    def migrated(self) -> str:
        """The address of a new database with all tables, copied from one that Alembic migrated."""
        if self._migrated is None:
            template = self.empty()
            migrate(template, Settings())
            self._migrated = urlsplit(template).path[1:]
        return self._create(self._migrated)

    def copy_of(self, url: str) -> str:
        """The address of a new database with what that of ``url`` holds; nobody may be connected there."""
        return self._create(urlsplit(url).path[1:])

    def drop_all(self) -> None:
        """Drop what was made."""
        for name in self._made:
            run(self._server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _create(self, template: str) -> str:
        name = f"reviews_test_{os.getpid()}_{next(_numbers)}"
        run(self._server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        self._made.append(name)
        return Secret(urlunsplit(urlsplit(self._server)._replace(path=f"/{name}")))


def rows(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """The rows of one statement, on a connection of its own."""

    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    return asyncio.run(fetch())


def run(url: str, sql: str, *arguments: object) -> None:
    """Run one statement, or without arguments several."""

    async def execute() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql, *arguments)
        finally:
            await connection.close()

    asyncio.run(execute())


def value(url: str, sql: str, *arguments: object) -> Any:
    """The one value of one row."""
    ((found,),) = rows(url, sql, *arguments)
    return found


async def waiting_for_lock(url: str) -> None:
    """Wait until a statement on that database waits for a lock."""
    connection = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    try:
        async with asyncio.timeout(10):
            while await connection.fetchval(waiting) == 0:  # noqa: ASYNC110 - another process waits
                await asyncio.sleep(0.01)
    finally:
        await connection.close()
