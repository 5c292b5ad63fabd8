"""Connections that mutations write on, and their transactions: READ COMMITTED, every statement bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from graphql_api.db.leases import Leases
from graphql_api.errors import ReviewsError

ROLLBACK_S = 1.0
"""Seconds for which a rollback is waited for. Then the connection is closed, which rolls back as well."""


class ConnectionsTakenError(ReviewsError):
    """No connection became free in time."""


class Writes:
    """A bounded pool, whose connections are kept at hand between transactions.

    ``begin`` begins a transaction; ``patience_s``: seconds that one waits for a connection.
    """

    def __init__(self, pool: asyncpg.Pool, begin: str, patience_s: float) -> None:
        self.pool = pool
        self.leases = Leases(pool, pool.get_max_size(), patience_s)
        self.groups: dict[Any, Any] = {}
        """Those who collect for a transaction together, by what they do in it."""
        self._begin = begin

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PoolConnectionProxy]:
        """A connection for the time of the context. Raises ``ConnectionsTakenError``."""
        async with AsyncExitStack() as lease:
            try:
                connection = await lease.enter_async_context(self.leases.acquire())
            except TimeoutError as error:
                raise ConnectionsTakenError("no connection for writes was free in time") from error
            yield connection

    @asynccontextmanager
    async def transaction(self, connection: PoolConnectionProxy) -> AsyncIterator[None]:
        """A transaction on ``connection``: committed at the end of the context, rolled back where it raises."""
        try:
            await connection.execute(self._begin)
            yield
        except BaseException:
            await _roll_back(connection)
            raise
        try:
            done = await connection.execute("COMMIT")
        except BaseException:
            # Whether it is committed or not, nobody is to wait for this connection any more.
            connection.terminate()
            raise
        # PostgreSQL says ROLLBACK, and nothing else, where a statement has failed and nobody has noticed.
        assert done == "COMMIT", "whatever fails within the transaction leaves it by an exception"

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[PoolConnectionProxy]:
        """A connection in a transaction. Raises ``ConnectionsTakenError``."""
        async with self.connection() as connection, self.transaction(connection):
            yield connection

    async def close(self) -> None:
        """Close the pool, after what is under way."""
        await self.leases.close()
        await self.pool.close()

    def terminate(self) -> None:
        """Close the pool at once."""
        self.pool.terminate()


async def _roll_back(connection: PoolConnectionProxy) -> None:
    if connection.is_closed():
        return
    with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        async with asyncio.timeout(ROLLBACK_S):
            await connection.execute("ROLLBACK")
            return
    connection.terminate()
