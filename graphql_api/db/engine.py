"""Connections to PostgreSQL: a pool for reads and one for writes, and SQLAlchemy's engine for what operators run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from graphql_api.db.pooler import TransactionPool, begin_with
from graphql_api.db.writes import ConnectionsTakenError, Writes
from graphql_api.errors import DatabaseUnavailableError, OperatorError
from graphql_api.settings import Settings

logger = logging.getLogger("reviews.sql")

REVISION = "0009"
"""The Alembic revision this build needs; a test compares it with the newest migration."""

OLDEST_SERVER = 150000
"""PostgreSQL 15, as ``server_version_num`` says it."""


AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What connecting and the simplest statement may come to."""

_ONE_PLAN = {"plan_cache_mode": "force_generic_plan"}
# Each statement is written for one plan, whatever the keys. PostgreSQL would plan most of them anew each time, because
# it thinks it knows more of one key than of any: 0.1 to 0.3 ms, as long as a page takes to run. Of a new review, with
# the statements of its triggers, it is a third of the time.

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"

CLOSE_SECONDS = 5
"""A pool that is closed waits so long for the statements under way."""


@dataclass(frozen=True)
class Database:
    """What reads and writes go through. ``reads`` only takes read-only statements."""

    reads: asyncpg.Pool | TransactionPool
    writes: Writes


def create_engine(url: str, *, connect: Mapping[str, Any], unnamed: bool = False, **options: Any) -> AsyncEngine:
    """A SQLAlchemy engine whose connections asyncpg makes from ``url``, with the arguments ``connect``.

    The address goes to asyncpg as it is: SQLAlchemy takes each of its parameters, such as ``sslmode``, for an argument
    of the driver, which knows them in an address only. Statements' parameters are not shown in errors: one may be an
    e-mail address. ``unnamed``: statements have no names, as PgBouncer in transaction mode wants it.
    """

    async def connection(**_: Any) -> asyncpg.Connection:
        return await asyncpg.connect(url, **connect, **({"statement_cache_size": 0} if unnamed else {}))

    arguments: dict[str, Any] = {"async_creator_fn": connection}
    if unnamed:
        arguments |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
    return create_async_engine("postgresql+asyncpg://", connect_args=arguments, hide_parameters=True, **options)


async def _create_writes(url: str, settings: Settings) -> Writes:
    """What mutations write on."""
    of_session = {"statement_timeout": str(settings.statement_timeout_ms), **_ONE_PLAN}
    name = {"application_name": "reviews-gateway writes", "timezone": "UTC"}
    begin = _BEGIN
    options: dict[str, Any] = {"server_settings": {**name, **of_session}}
    if settings.pgbouncer:
        # Without a cache asyncpg gives its statements no names.
        begin = begin_with(_BEGIN, of_session)
        options = {"server_settings": name, "statement_cache_size": 0}
    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=settings.write_connections,
        timeout=settings.connect_timeout_s,
        reset=_leave_as_it_is,
        **options,
    )
    return Writes(pool, begin, settings.connect_timeout_s)


@asynccontextmanager
async def open_database(url: str, settings: Settings) -> AsyncIterator[Database]:
    """Open both pools for the time of the context. Connections are made when they are needed."""
    reads = await _create_pool(url, settings)
    writes = await _create_writes(url, settings)
    try:
        yield Database(reads, writes)
    finally:
        await _close(writes)
        await _close(reads)


async def _close(pool: asyncpg.Pool | TransactionPool | Writes) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def connect_for_checks(url: str, settings: Settings) -> asyncpg.Connection:
    """A connection beside the pools, on which the health of the database is looked at."""
    return await asyncpg.connect(
        url,
        timeout=settings.connect_timeout_s,
        server_settings={"application_name": "reviews-gateway checks"},
        **({"statement_cache_size": 0} if settings.pgbouncer else {}),
    )


async def _create_pool(url: str, settings: Settings) -> asyncpg.Pool | TransactionPool:
    name = "reviews-gateway reads"
    if not settings.pgbouncer:
        return await create_pool(url, settings, name=name)
    # Without a cache asyncpg gives its statements no names.
    pool = await _pool(url, settings, {"application_name": name, "timezone": "UTC"}, statement_cache_size=0)
    return TransactionPool(pool, _of_session(settings))


async def create_pool(url: str, settings: Settings, *, name: str, init: Any = None) -> asyncpg.Pool:
    """A pool of read-only sessions on the server of ``url``. ``init`` is awaited with each new connection."""
    of_session = _of_session(settings)
    return await _pool(
        url,
        settings,
        {"application_name": name, "timezone": "UTC", **of_session, "default_transaction_read_only": "on"},
        init=init,
    )


def _of_session(settings: Settings) -> dict[str, str]:
    return {
        "statement_timeout": str(settings.statement_timeout_ms),
        # Pages are short: compiling them costs more than it gives. Nor does a batch ask for a row twice.
        "jit": "off",
        "enable_memoize": "off",
        **_ONE_PLAN,
    }


async def _pool(url: str, settings: Settings, server_settings: dict[str, str], **options: Any) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        # None is opened ahead: a gateway whose database is away starts, and says so at /readyz.
        min_size=0,
        max_size=settings.read_connections,
        timeout=settings.connect_timeout_s,
        command_timeout=settings.statement_timeout_ms / 1000 + 1,
        reset=_leave_as_it_is,
        server_settings=server_settings,
        **options,
    )


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    """Reads change nothing of their session, so the round trip that would reset it is saved."""


async def check_server(url: str, settings: Settings) -> None:
    """Raise ``OperatorError`` unless ``url`` answers, is PostgreSQL 15 or newer, and stores UTF-8."""
    try:
        connection = await asyncpg.connect(url, timeout=settings.connect_timeout_s)
    except AWAY as error:
        raise DatabaseUnavailableError(f"The database {shown(url)} cannot be reached: {_reason(error)}") from error
    try:
        row = await connection.fetchrow(
            "SELECT current_setting('server_version_num')::integer AS number,"
            " current_setting('server_version') AS version, current_setting('server_encoding') AS encoding"
        )
    finally:
        await connection.close()
    if row["number"] < OLDEST_SERVER:
        raise OperatorError(f"The database is PostgreSQL {row['version']}; the gateway needs 15 or newer.")
    if row["encoding"] != "UTF8":
        raise OperatorError(f"The database stores {row['encoding']}; create it with ENCODING 'UTF8'.")


async def check_revision(connection: asyncpg.Connection) -> None:
    """Raise ``DatabaseUnavailableError`` unless the schema is at ``REVISION`` or at a later one."""
    try:
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        revision = None
    if revision is None or revision < REVISION:
        found = "has no tables yet" if revision is None else f"is at revision {revision}"
        raise DatabaseUnavailableError(
            f"The database {found}, and this build needs {REVISION}: run alembic upgrade head."
        )


def shown(url: str) -> str:
    """``url`` without its password, for people and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@", 1)))


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def root_of(error: BaseException) -> BaseException:
    """The driver's own error behind ``error``."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def is_too_slow(error: BaseException) -> bool:
    """Whether ``error`` says that a statement did not begin or end in time."""
    return isinstance(root_of(error), asyncpg.QueryCanceledError | TimeoutError)


def is_refused(error: BaseException) -> bool:
    """Whether ``error`` says that the database takes no connections, and so not only that one of them was lost."""
    return isinstance(root_of(error), ConnectionRefusedError | FileNotFoundError | asyncpg.CannotConnectNowError)


def is_full(error: BaseException) -> bool:
    """Whether ``error`` says that the database has no connection left."""
    return isinstance(root_of(error), asyncpg.TooManyConnectionsError)


def is_passing(error: BaseException) -> bool:
    """Whether ``error`` says that the database is away or busy, and not that a statement is wrong."""
    return isinstance(
        root_of(error),
        OSError
        | TimeoutError
        | ConnectionsTakenError
        | asyncpg.PostgresConnectionError
        | asyncpg.InterfaceError
        # What is asked of a connection between the server's last word on it and its end.
        | asyncpg.InternalClientError
        # Out of connections, memory or disk.
        | asyncpg.InsufficientResourcesError
        | asyncpg.PostgresIOError
        | asyncpg.CannotConnectNowError
        | asyncpg.AdminShutdownError
        | asyncpg.CrashShutdownError
        | asyncpg.ReadOnlySQLTransactionError
        | asyncpg.DeadlockDetectedError,
    )


def is_without_writes(error: BaseException) -> bool:
    """Whether ``error`` says that the database answers, and writes nothing at the moment."""
    return isinstance(root_of(error), asyncpg.ReadOnlySQLTransactionError | asyncpg.DiskFullError)
