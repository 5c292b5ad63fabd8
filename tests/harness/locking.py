"""A table or a review that is locked for a while, and the statements that wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import asyncpg

from tests.harness.databases import value

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def waiting(url: str) -> int:
    """How many statements wait for a lock in that database."""
    count: int = value(url, _WAITING)
    return count


def locked(url: str, table: str) -> AbstractContextManager[None]:
    """Nobody reads ``table`` for the time of the context."""
    return _holding(url, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def locked_review(url: str, product_id: int, review_id: int) -> AbstractContextManager[None]:
    """Nobody writes to that review for the time of the context."""
    return _holding(
        url, f"SELECT FROM reviews WHERE product_id = {product_id:d} AND review_id = {review_id:d} FOR UPDATE"
    )


@contextmanager
def _holding(url: str, what: str) -> Iterator[None]:
    is_locked, end = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"BEGIN; {what}")
            is_locked.set()
            await asyncio.to_thread(end.wait)
            await connection.execute("ROLLBACK")
        finally:
            await connection.close()

    holder = threading.Thread(target=asyncio.run, args=(hold(),))
    holder.start()
    try:
        assert is_locked.wait(30), "nothing is locked"
        yield
    finally:
        end.set()
        holder.join()
