"""How Alembic reaches the database: DATABASE_URL, or the embedded one of the state folder.

Two migrators at once wait for each other on an advisory lock; each migration is one transaction; a lock that traffic
holds too long ends the migration, with nothing changed, instead of stopping the traffic behind it.
``alembic -x lock_timeout_ms=60000 upgrade head`` waits longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError

from graphql_api.db.engine import check_server, create_engine, root_of
from graphql_api.db.location import database_of
from graphql_api.db.models import Base
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

ADVISORY_LOCK = 7_265_766_965_777_301
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 3_600_000


def lock_timeout_ms() -> int:
    """How long a migration waits for a table."""
    given = context.get_x_argument(as_dictionary=True).get("lock_timeout_ms", str(LOCK_TIMEOUT_MS))
    if not isinstance(given, str) or not given.isdecimal():
        raise OperatorError(f"-x lock_timeout_ms={given} cannot be used: expected milliseconds.")
    return int(given)


def migrate(connection: Connection) -> None:
    """Run what was asked for on ``connection``."""
    connection.execute(text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": f"{lock_timeout_ms()}ms"})
    connection.execute(text("SELECT set_config('statement_timeout', :ms, false)"), {"ms": f"{STATEMENT_TIMEOUT_MS}ms"})
    # Taken for the session, outside the migrations' own transactions, and without their lock timeout.
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


async def migrate_online(url: str, settings: Settings) -> None:
    """Connect to ``url`` and migrate. Raises ``OperatorError`` where traffic held a table too long."""
    await check_server(url, settings)
    engine = create_engine(url, poolclass=pool.NullPool, connect={"timeout": settings.connect_timeout_s})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    except DBAPIError as error:
        if isinstance(root_of(error), asyncpg.LockNotAvailableError):
            raise OperatorError(
                f"Traffic held a table for more than {lock_timeout_ms()} ms, so the migration changed nothing: "
                "run it again, or wait longer with alembic -x lock_timeout_ms=60000 upgrade head."
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
