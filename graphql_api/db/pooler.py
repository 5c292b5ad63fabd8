"""Reads through PgBouncer in transaction mode, where a session's settings and statements belong to nobody.

Each read is a transaction of its own: it says its settings, and its statement has no name, so that nothing is left on
the server's connection, which is somebody else's afterwards. That costs three round trips more than a session.
"""

from __future__ import annotations

from types import TracebackType

import asyncpg
from asyncpg.pool import PoolConnectionProxy


def begin_with(begin: str, settings: dict[str, str]) -> str:
    """``begin``, and what gives the transaction its ``settings``, which are names and values of our own."""
    return "; ".join([begin, *(f"SET LOCAL {name} = '{text}'" for name, text in settings.items())])


class TransactionPool:
    """Gives connections of ``pool`` within a read-only transaction that has ``settings``."""

    def __init__(self, pool: asyncpg.Pool, settings: dict[str, str]) -> None:
        self.pool = pool
        self._begin = begin_with("BEGIN READ ONLY", settings)

    def acquire(self) -> _Transaction:
        """A connection, and its transaction, for the time of the context."""
        return _Transaction(self.pool, self._begin)

    async def close(self) -> None:
        """Close the pool, after what is under way."""
        await self.pool.close()

    def terminate(self) -> None:
        """Close the pool at once."""
        self.pool.terminate()


class _Transaction:
    __slots__ = ("_begin", "_connection", "_pool")

    def __init__(self, pool: asyncpg.Pool, begin: str) -> None:
        self._pool = pool
        self._begin = begin

    async def __aenter__(self) -> PoolConnectionProxy:
        self._connection = await self._pool.acquire()
        try:
            await self._connection.execute(self._begin)
        except BaseException:
            # Broken off, it may have begun all the same: nobody is to have the rest of it.
            self._connection.terminate()
            await self._pool.release(self._connection)
            raise
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if not self._connection.is_closed():
                await self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except BaseException:
            self._connection.terminate()
            raise
        finally:
            await self._pool.release(self._connection)
