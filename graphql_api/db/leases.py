"""Connections that are kept between uses: to take one from the pool and give it back costs 40 us."""

from __future__ import annotations

import time
from types import TracebackType

import asyncpg
from asyncpg.pool import PoolConnectionProxy

_FULL_S = 0.05
"""After the server had no connection left, none is asked for so long: each that is refused costs it a process."""

_UNUSED_S = 60.0
"""Longer than this no connection is kept unused: firewalls forget such ones, and the pool looks after its own."""


class Leases:
    """Connections of ``pool``, each held by one batch or transaction at a time.

    ``most`` are kept; what is taken beyond goes back to the pool after its batch, so that others who read get their
    turn. ``wait_s``: seconds to wait for one; ``TimeoutError`` after that.
    """

    def __init__(self, pool: asyncpg.Pool, most: int, wait_s: float) -> None:
        self.pool = pool
        self._most = most
        self._wait_s = wait_s
        self._out = 0
        self._waiting = 0
        self._full_until = 0.0
        self._free: list[tuple[PoolConnectionProxy, float]] = []

    @property
    def unused(self) -> int:
        """How many are kept that no batch has."""
        return len(self._free)

    def acquire(self) -> _Lease:
        """A connection for the time of the context, as a pool gives it."""
        return _Lease(self)

    async def take(self) -> PoolConnectionProxy:
        """A free connection, or one of the pool's. Raises ``TooManyConnectionsError`` where there is none to be had."""
        while self._free:
            connection, used = self._free.pop()
            if not connection.is_closed() and time.monotonic() - used < _UNUSED_S:
                return connection
            await self._release(connection)
        if time.monotonic() < self._full_until:
            raise asyncpg.TooManyConnectionsError("the server had no connection left a moment ago")
        self._waiting += 1
        try:
            connection = await self.pool.acquire(timeout=self._wait_s)
        except asyncpg.TooManyConnectionsError:
            self._full_until = time.monotonic() + _FULL_S
            raise
        finally:
            self._waiting -= 1
        self._out += 1
        return connection

    async def give_back(self, connection: PoolConnectionProxy, *, failed: bool) -> None:
        """End a batch's use of ``connection``. Where somebody waits at the pool, it goes there."""
        if failed or self._waiting or self._out > self._most:
            await self._release(connection)
        else:
            self._free.append((connection, time.monotonic()))

    async def close(self) -> None:
        """Give all free connections back to the pool, and the others after their batch."""
        self._most = 0
        while self._free:
            await self._release(self._free.pop()[0])

    async def _release(self, connection: PoolConnectionProxy) -> None:
        self._out -= 1
        await self.pool.release(connection)


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
