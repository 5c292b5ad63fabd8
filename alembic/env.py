"""How Alembic reaches the database: DATABASE_URL, or the embedded one of the state folder.

Two migrators at once wait for each other on an advisory lock; each migration is one transaction. A table that a long
transaction holds is not waited for at length, as all traffic would wait behind the migration: it lets go, and tries
again when the traffic has had its turn. ``alembic -x lock_tries=200 upgrade head`` tries for longer, and
``-x lock_timeout_ms=60000`` lets the traffic wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError

from graphql_api.db.engine import check_server, create_engine, root_of
from graphql_api.db.location import database_of
from graphql_api.db.models import Base
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

logger = logging.getLogger("alembic.runtime.migration")

ADVISORY_LOCK = 7_265_766_965_777_301
LOCK_TIMEOUT_MS = 1_200
"""Reads and writes of the table wait as long. More than PostgreSQL's ``deadlock_timeout``, a second: after that it ends
an autovacuum that holds the table."""
LOCK_TRIES = 20
LOCK_PAUSE_S = 2.0
STATEMENT_TIMEOUT_MS = 3_600_000


def given_number(name: str, default: int) -> int:
    """What ``-x name=…`` says."""
    given = context.get_x_argument(as_dictionary=True).get(name, str(default))
    if not isinstance(given, str) or not given.isdecimal() or int(given) == 0:
        raise OperatorError(f"-x {name}={given} cannot be used: expected a whole number from 1.")
    return int(given)


def lock_timeout_ms() -> int:
    """How long a try waits for a table."""
    return given_number("lock_timeout_ms", LOCK_TIMEOUT_MS)


def lock_tries() -> int:
    """How often a table is tried for."""
    return given_number("lock_tries", LOCK_TRIES)


def migrate(connection: Connection) -> None:
    """Run what was asked for on ``connection``."""
    connection.execute(text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": f"{lock_timeout_ms()}ms"})
    connection.execute(text("SELECT set_config('statement_timeout', :ms, false)"), {"ms": f"{STATEMENT_TIMEOUT_MS}ms"})
    # Taken for the session, outside the migrations' own transactions, and without their lock timeout.
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    try:
        for left in reversed(range(lock_tries())):
            try:
                run_once(connection)
                break
            except DBAPIError as error:
                if not is_held(error) or left == 0:
                    raise
            connection.rollback()
            logger.warning("Traffic holds a table: it is tried again in %g s, %d times more.", LOCK_PAUSE_S, left)
            time.sleep(LOCK_PAUSE_S)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


def run_once(connection: Connection) -> None:
    """Run those that have not been run."""
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def is_held(error: DBAPIError) -> bool:
    """Whether ``error`` says that a table was held for longer than the lock's timeout."""
    return isinstance(root_of(error), asyncpg.LockNotAvailableError)


async def migrate_online(url: str, settings: Settings) -> None:
    """Connect to ``url`` and migrate. Raises ``OperatorError`` where traffic held a table too long."""
    await check_server(url, settings)
    engine = create_engine(url, poolclass=pool.NullPool, connect={"timeout": settings.connect_timeout_s})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    except DBAPIError as error:
        if is_held(error):
            raise OperatorError(
                f"Traffic held a table for more than {lock_timeout_ms()} ms each of {lock_tries()} times, so the "
                "migration changed nothing: end what holds it (SELECT * FROM pg_stat_activity ORDER BY xact_start) and "
                "run it again, or try for longer with alembic -x lock_tries=200 upgrade head."
            ) from error
        raise
    finally:
        await engine.dispose()


def run() -> None:
    """Print the SQL of an offline run, or migrate: the database a caller named, else that of the environment."""
    if context.is_offline_mode():
        context.configure(
            dialect_name="postgresql",
            # The default style of parameters would print every percent sign twice.
            dialect_opts={"paramstyle": "named"},
            target_metadata=Base.metadata,
            literal_binds=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        return
    given = context.config.attributes.get("url")
    if given is not None:
        asyncio.run(migrate_online(given, context.config.attributes["settings"]))
        return
    # Called from the command line: what alembic does is said as it does it, and a problem in one sentence.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        settings = Settings.from_environment(os.environ)
        with database_of(settings) as url:
            asyncio.run(migrate_online(url, settings))
    except OperatorError as error:
        sys.exit(f"alembic: {error}")


run()
