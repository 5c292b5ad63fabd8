"""Core statements, compiled once to the text that asyncpg prepares."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Protocol

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from loaders.observer import Observer

logger = logging.getLogger("reviews.sql")
_dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # as SQLAlchemy has it


class Reads(Protocol):
    """Where a statement gets its connection: asyncpg's pool, or what holds on to connections of one."""

    def acquire(self) -> Any:
        """A connection, for the time of an asynchronous context."""


class ObservedReads:
    """The reads of one loader, whose statements are told to ``observer``."""

    __slots__ = ("_loader", "_observer", "_reads")

    def __init__(self, reads: Reads, loader: str, observer: Observer) -> None:
        self._reads = reads
        self._loader = loader
        self._observer = observer

    def acquire(self) -> Any:
        """A connection, for the time of an asynchronous context."""
        return self._reads.acquire()

    def ran(self, began: float) -> None:
        """A statement that began then has ended now."""
        self._observer.statement(self._loader, time.perf_counter() - began)


class Compiled:
    """A Core statement as text with ``$1``, ``$2`` …; its bind parameters are given by name.

    Those that have a value of their own keep it.
    """

    __slots__ = ("_order", "_own", "name", "text")

    def __init__(self, name: str, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        self.name = name
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._own = {name: compiled.params[name] for name in self._order if compiled.params[name] is not None}

    def arguments(self, parameters: Mapping[str, object]) -> list[object]:
        """What goes to asyncpg beside the text."""
        if self._own:
            parameters = {**self._own, **parameters}
        return [parameters[name] for name in self._order]


class Statement(Compiled):
    """A select that finds a connection by itself."""

    __slots__ = ()

    async def fetch(self, reads: Reads, **parameters: object) -> list[asyncpg.Record]:
        """All rows. A connection is held for this statement only, so loaders that run together never share one."""
        started = time.perf_counter()
        arguments = self.arguments(parameters)
        async with reads.acquire() as connection:
            began = time.perf_counter()
            rows: list[asyncpg.Record] = await connection.fetch(self.text, *arguments)
            if isinstance(reads, ObservedReads):
                reads.ran(began)
        logger.debug(
            "%s: %d rows in %.1f ms",
            self.name,
            len(rows),
            (time.perf_counter() - started) * 1000,
            extra={"sql": self.text},
        )
        return rows


class Writing(Compiled):
    """A statement of a transaction that writes, run on its connection."""

    __slots__ = ()

    async def rows(self, connection: PoolConnectionProxy, **parameters: object) -> list[asyncpg.Record]:
        """All rows that it returns. Its values, which may hold an e-mail address, are not logged."""
        logger.debug("%s: written", self.name, extra={"sql": self.text})
        found: list[asyncpg.Record] = await connection.fetch(self.text, *self.arguments(parameters))
        return found

    async def first(self, connection: PoolConnectionProxy, **parameters: object) -> asyncpg.Record | None:
        """The first of them, ``None`` where there is none."""
        found = await self.rows(connection, **parameters)
        return found[0] if found else None
