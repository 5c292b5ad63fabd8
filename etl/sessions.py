"""Sessions of a load: their settings, the lock that lets one load work at a time, and what killed ones left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from etl.rejects import without_addresses
from graphql_api.db.engine import check_revision, check_server, create_engine, root_of
from graphql_api.errors import DatabaseUnavailableError
from graphql_api.settings import Settings

NAME = "reviews-gateway etl"
_WORKER = f"{NAME} worker"
_ONE_LOAD_AT_A_TIME = 7_265_766_965_777_302
_SETTINGS: Mapping[str, str] = {
    "application_name": NAME,
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "lock_timeout": "0",
    "timezone": "UTC",
    "jit": "off",
    "work_mem": "128MB",
    "temp_buffers": "64MB",
    "maintenance_work_mem": "512MB",
    # Two sessions work side by side, so that helpers of one would only take the other's processor.
    "max_parallel_maintenance_workers": "0",
    # A session whose client was killed ends within a second, not with its statement.
    "client_connection_check_interval": "1s",
}
_WORKER_SETTINGS: Mapping[str, str] = {
    **_SETTINGS,
    "application_name": _WORKER,
    # A chunk and the note that it is there are lost together or not at all, so that neither need wait for the disk.
    "synchronous_commit": "off",
}
WAITING_SECONDS = 60
# The internal error is what asyncpg says to a statement that begins just as the connection breaks.
_ENDED = (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_ASK_AGAIN_SECONDS = 0.2


@asynccontextmanager
async def connected(url: str, settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to a database at our revision, for statements that may take their time.

    Raises ``DatabaseUnavailableError`` where there is none, or where PostgreSQL ends the work.
    """
    await check_server(url, settings)
    engine = create_engine(
        url, poolclass=NullPool, connect={"timeout": settings.connect_timeout_s, "server_settings": dict(_SETTINGS)}
    )
    try:
        async with engine.connect() as connection:
            await check_revision(await driver(connection))
            try:
                yield connection
            except _ENDED:
                # Closed in good order a broken connection breaks again, and the pool prints a traceback of it.
                await connection.invalidate()
                raise
    except _ENDED as error:
        raise DatabaseUnavailableError(
            f"PostgreSQL ended the work: {_cause(error)}. Readers see what they saw before; once that is mended, "
            "run the same command again, which carries on."
        ) from error
    finally:
        await engine.dispose()


def _cause(error: BaseException) -> str:
    """The first line of what PostgreSQL said: its details may hold a row, and a row an address."""
    error = root_of(error)
    return without_addresses((str(error).splitlines() or [type(error).__name__])[0])


async def driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The asyncpg connection under ``connection``."""
    return (await connection.get_raw_connection()).driver_connection


@asynccontextmanager
async def worker(url: str, settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """One more session, for work beside the first one's."""
    connection = await asyncpg.connect(url, timeout=settings.connect_timeout_s, server_settings=dict(_WORKER_SETTINGS))
    try:
        yield connection
    finally:
        # Not closed in order: after an error or Ctrl-C its statement may still be under way.
        connection.terminate()


async def take_turn(connection: asyncpg.Connection, say: Callable[[str], None]) -> None:
    """Wait until no other load works on the database, and end the workers that a killed one has left.

    The lock is the session's, and goes with it.
    """
    waiting = False
    # Asked again and again: a session that waits inside a statement would hold up, and be held up by, the other load's
    # CREATE INDEX CONCURRENTLY.
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_LOAD_AT_A_TIME):
        if not waiting:
            waiting = True
            say("Waiting for another load to end …")
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    deadline = asyncio.get_running_loop().time() + WAITING_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        # Ours is the lock and we have no workers yet, so these belong to a load that is no more.
        left = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1 AND usename = current_user",
            _WORKER,
        )
        if not left:
            return
        await asyncio.sleep(0.05)
