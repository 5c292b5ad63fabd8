"""Connections that the shared loaders keep between batches: to take one from the pool and give it back costs 40 us."""

from __future__ import annotations

from types import TracebackType

import asyncpg
from asyncpg.pool import PoolConnectionProxy


class Leases:
    """Connections of ``pool``, each held by one batch at a time. ``most`` are kept; others go back to the pool."""

    def __init__(self, pool: asyncpg.Pool, most: int) -> None:
        self.pool = pool
        self._most = most
        self._free: list[PoolConnectionProxy] = []
        self._waiting = 0

    def acquire(self) -> _Lease:
        """A connection for the time of the context, as a pool gives it."""
        return _Lease(self)

    async def take(self) -> PoolConnectionProxy:
        """A free connection, or one of the pool's."""
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
            await self.pool.release(connection)
        self._waiting += 1
        try:
            return await self.pool.acquire()
        finally:
            self._waiting -= 1

    async def give_back(self, connection: PoolConnectionProxy, *, failed: bool) -> None:
        """End a batch's use of ``connection``. Where somebody waits at the pool, it goes there."""
        if failed or self._waiting or len(self._free) >= self._most:
            await self.pool.release(connection)
        else:
            self._free.append(connection)

    async def close(self) -> None:
        """Give all free connections back to the pool."""
        self._most = 0
        while self._free:
            await self.pool.release(self._free.pop())


class _Lease:
    __slots__ = ("_connection", "_leases")

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    async def __aenter__(self) -> PoolConnectionProxy:
        self._connection = await self._leases.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._leases.give_back(self._connection, failed=kind is not None)
