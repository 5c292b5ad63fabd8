"""Bringing a database to the revision this build needs, with the migrations of the ``alembic`` folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from graphql_api.db.engine import REVISION, check_server
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

_INI = Path(__file__).resolve().parent.parent.parent / "alembic.ini"


def migrate(url: str, settings: Settings) -> bool:
    """Run ``alembic upgrade head`` on ``url``; ``False`` when nothing was to be done.

    Raises ``OperatorError`` for a server that is too old and for a database that a newer build has migrated.
    """
    found = asyncio.run(_revision(url, settings))
    if found == REVISION:
        return False
    config = Config(_INI)
    config.attributes.update(url=url, settings=settings)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise OperatorError(
            f"The database is at revision {found}, which this build does not know: run the newer build that made it, "
            "or choose another database or state folder."
        )
    command.upgrade(config, "head")
    return True


async def _revision(url: str, settings: Settings) -> str | None:
    await check_server(url, settings)
    connection = await asyncpg.connect(url, timeout=settings.connect_timeout_s)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()
    return revision
