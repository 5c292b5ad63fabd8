"""A Core select, compiled once to the text that asyncpg prepares, and run on a connection of its own."""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

logger = logging.getLogger("reviews.sql")
_dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # as SQLAlchemy has it


class Reads(Protocol):
    """Where a statement gets its connection: asyncpg's pool, or what holds on to connections of one."""

    def acquire(self) -> Any:
        """A connection, for the time of an asynchronous context."""


class Statement:
    """``select`` as text with ``$1``, ``$2`` …; its bind parameters are given by name."""

    __slots__ = ("_order", "name", "text")

    def __init__(self, name: str, select: Select[*tuple[Any, ...]]) -> None:
        compiled = select.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
        self.name = name
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())

    async def fetch(self, reads: Reads, **parameters: object) -> list[asyncpg.Record]:
        """All rows. A connection is held for this statement only, so loaders that run together never share one."""
        started = time.perf_counter()
        arguments = [parameters[name] for name in self._order]
        async with reads.acquire() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(self.text, *arguments)
        logger.debug(
            "%s: %d rows in %.1f ms",
            self.name,
            len(rows),
            (time.perf_counter() - started) * 1000,
            extra={"sql": self.text},
        )
        return rows
