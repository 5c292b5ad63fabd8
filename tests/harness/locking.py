"""A table that is locked for a while, and the statements that wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from tests.harness.databases import value

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def waiting(url: str) -> int:
    """How many statements wait for a lock in that database."""
    count: int = value(url, _WAITING)
    return count


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Nobody reads ``table`` for the time of the context."""
    is_locked, end = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            is_locked.set()
            await asyncio.to_thread(end.wait)
            await connection.execute("ROLLBACK")
        finally:
            await connection.close()

    holder = threading.Thread(target=asyncio.run, args=(hold(),))
    holder.start()
    try:
        assert is_locked.wait(30), "the table is not locked"
        yield
    finally:
        end.set()
        holder.join()
