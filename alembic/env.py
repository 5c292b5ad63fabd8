"""How Alembic reaches the database: DATABASE_URL, or the embedded one of the state folder.

Two migrators at once wait for each other on an advisory lock; each migration is one transaction; a lock that traffic
holds too long ends the migration, with nothing changed, instead of stopping the traffic behind it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from graphql_api.db.engine import check_server, sqlalchemy_url
from graphql_api.db.location import database_of
from graphql_api.db.models import Base
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

ADVISORY_LOCK = 7_265_766_965_777_301
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 3_600_000


def migrate(connection: Connection) -> None:
    """Run what was asked for on ``connection``."""
    connection.execute(text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": f"{LOCK_TIMEOUT_MS}ms"})
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
    """Connect to ``url`` and migrate."""
    await check_server(url, settings)
    engine = create_async_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


def run() -> None:
    """Print the SQL of an offline run, or migrate: the database a caller named, else that of the environment."""
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    settings = Settings.from_environment(os.environ)
    given = context.config.attributes.get("url")
    if given is not None:
        asyncio.run(migrate_online(given, settings))
        return
    # Called from the command line: what alembic does is said as it does it, and a problem in one sentence.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    try:
        with database_of(settings) as url:
            asyncio.run(migrate_online(url, settings))
    except OperatorError as error:
        sys.exit(f"alembic: {error}")


run()
