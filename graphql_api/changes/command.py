"""``reviews invalidate``: tell whoever keeps answers to forget them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import asyncpg

from graphql_api.db.engine import check_revision, check_server, shown
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

_TAG = re.compile(r"all|catalog|(?:product|review):(?:0|[1-9][0-9]{0,18})", re.ASCII)


def invalidate(url: str, settings: Settings, tags: Sequence[str]) -> None:
    """Record a change of ``tags``. Raises ``OperatorError`` for what is no tag, and for a database that is away."""
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise OperatorError(f"{tag!r} is no tag: name all, catalog, product:<number> or review:<number>.")
    asyncio.run(_record(url, settings, sorted(set(tags))))


async def _record(url: str, settings: Settings, tags: list[str]) -> None:
    await check_server(url, settings)
    connection = await asyncpg.connect(url, timeout=settings.connect_timeout_s)
    try:
        await check_revision(connection)
        await connection.execute("SELECT record_change($1, 0)", tags)
    except asyncpg.PostgresError as error:
        raise OperatorError(f"The database {shown(url)} does not take the change: {error}") from error
    finally:
        await connection.close()
