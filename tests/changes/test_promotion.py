"""A standby that becomes the primary may lack what the old one had committed: nobody goes on where they were there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from graphql_api.changes.reader import Reader
from graphql_api.db.migrate import migrate
from graphql_api.settings import Settings
from tests.harness.databases import run, value
from tests.harness.replication import replicated


async def position_in(url: str, after: str = "") -> tuple[bool, str]:
    """Whether reading goes on from ``after``, and where it is then."""
    connection = await asyncpg.connect(url)
    try:
        reader = await Reader.open(connection)
        return await reader.go_on_from(after), str((await reader.read()).position)
    finally:
        await connection.close()


def test_a_position_of_before_a_promotion_is_not_gone_on_from(tmp_path: Path) -> None:
    with replicated(tmp_path, 1) as (primary, (standby,)):
        migrate(primary.url, Settings())
        _, before = asyncio.run(position_in(primary.url))
        assert asyncio.run(position_in(primary.url, before))[0]
        run(primary.url, "SELECT record_change('{product:1}', 1)")
        end = value(primary.url, "SELECT pg_current_wal_flush_lsn()::text")
        while value(standby.url, f"SELECT pg_last_wal_replay_lsn() < '{end}'"):
            pass
        primary._run("pg_ctl", "stop", "-D", str(primary.data), "-m", "immediate", "-w")

        assert value(standby.url, "SELECT pg_promote(true)")

        assert not asyncio.run(position_in(standby.url, before))[0]
