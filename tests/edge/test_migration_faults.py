"""Later migrations run while this build serves: nothing is refused, also where a long transaction holds the table."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from graphql_api.db.engine import REVISION
from tests.edge.checking.faults import Outcome
from tests.edge.checking.load import Load
from tests.edge.checking.server import Server
from tests.edge.conftest import Clusters
from tests.edge.test_database_faults import LASTS_S, hurt, longest_silence

pytestmark = [pytest.mark.edge, pytest.mark.faults]

ROOT = Path(__file__).parents[2]
LONGEST_WAIT_S = 2.0
"""A try of the migration holds up all else for 1.2 s at the most."""

_INI = """
[alembic]
script_location = {root}/alembic
version_locations = {root}/alembic/versions:{versions}
path_separator = :
"""
_REVISION = """
from alembic import op

revision, down_revision, branch_labels, depends_on = {own!r}, {before!r}, None, None


def upgrade():
    {up}


def downgrade():
    {down}
"""
_CONCURRENTLY = """with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_reviews_word_count")
        op.execute("CREATE INDEX CONCURRENTLY ix_reviews_word_count ON reviews (product_id, word_count)")"""


class Later:
    """The migrations of a later build: a column of the table that all read, and an index on it."""

    def __init__(self, folder: Path, url: str) -> None:
        versions = folder / "versions"
        versions.mkdir()
        self._url = url
        self._ini = folder / "later.ini"
        self._ini.write_text(_INI.format(root=ROOT, versions=versions))
        column, index = f"{int(REVISION) + 1:04}", f"{int(REVISION) + 2:04}"
        added = 'op.execute("ALTER TABLE reviews ADD COLUMN word_count integer DEFAULT 0 NOT NULL")'
        removed = 'op.execute("ALTER TABLE reviews DROP COLUMN word_count")'
        unindexed = 'op.execute("DROP INDEX ix_reviews_word_count")'
        for own, before, up, down in (
            (column, REVISION, added, removed),
            (index, column, _CONCURRENTLY, unindexed),
        ):
            (versions / f"{own}.py").write_text(_REVISION.format(own=own, before=before, up=up, down=down))

    async def alembic(self, *arguments: str) -> str:
        """What ``alembic``, as an operator runs it, has said."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "alembic", "-c", str(self._ini), *arguments],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self._url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr


def test_a_migration_behind_a_long_transaction_stops_no_traffic(
    clusters: Clusters, own_server: Server, table: list[Outcome], tmp_path: Path
) -> None:
    later = Later(tmp_path, own_server.url)
    silences: list[float] = []
    said: list[str] = []

    async def migrate(load: Load) -> float:
        long = await asyncpg.connect(own_server.url)
        try:
            await long.execute("BEGIN; SELECT 1 FROM reviews LIMIT 1")
            upgrading = asyncio.create_task(later.alembic("upgrade", "head"))
            silences.append(await longest_silence(load, LASTS_S))
            assert not upgrading.done()
        finally:
            await long.close()
        said.append(await upgrading)
        await later.alembic("downgrade", REVISION)
        return time.monotonic()

    outcome = hurt("migrations up and down", own_server, clusters, table, migrate)

    assert outcome.findings.codes == {}
    assert "tried again" in said[0]
    assert silences[0] < LONGEST_WAIT_S
