"""Reads that keep what went through them: each statement with its keys, its rows and how long it took."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from loaders.statement import Reads, logger


@dataclass
class Ran:
    """A statement that ran. ``ms``: milliseconds from when it was prepared to its rows, ``None`` where it failed."""

    sql: str
    keys: tuple[Any, ...]
    rows: int = 0
    ms: float | None = None


class Recorder:
    """Reads through ``reads``; ``ran`` holds the statements in the order in which they began."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.ran: list[Ran] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[_Recorded]:
        """A connection for the time of the context, whose statements are kept."""
        async with self._reads.acquire() as connection:
            yield _Recorded(connection, self.ran)


class _Recorded:
    def __init__(self, connection: Any, ran: list[Ran]) -> None:
        self._connection = connection
        self._ran = ran

    async def fetch(self, sql: str, *keys: Any) -> Sequence[asyncpg.Record]:
        """All rows, as a connection gives them."""
        ran = Ran(sql, keys)
        self._ran.append(ran)
        # Apart: on a new connection the driver asks for the types of columns, which takes ten times as long as a page.
        # Without a name, so that it may be PgBouncer's.
        statement = await self._connection.prepare(sql, name="")
        started = time.perf_counter()
        rows: Sequence[asyncpg.Record] = await statement.fetch(*keys)
        ran.ms = (time.perf_counter() - started) * 1000
        ran.rows = len(rows)
        return rows


class _Names(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.by_sql: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the name of the statement that ``record`` tells of."""
        if isinstance(record.args, tuple) and hasattr(record, "sql"):
            self.by_sql[record.sql] = str(record.args[0])


@contextmanager
def statement_names() -> Iterator[dict[str, str]]:
    """The names of the statements that run meanwhile, by their SQL: a connection is not told them, the log is."""
    heard = _Names()
    level, passed_on = logger.level, logger.propagate
    logger.propagate = passed_on and logger.isEnabledFor(logging.DEBUG)
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    try:
        yield heard.by_sql
    finally:
        logger.removeHandler(heard)
        logger.setLevel(level)
        logger.propagate = passed_on
