"""The edge before replicas that read from a standby: no read is older than what was acknowledged."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Settings
from tests.edge.conftest import Clusters
from tests.edge.test_freshness import edge_of, loaded
from tests.harness.databases import value
from tests.harness.processes import wait_for
from tests.harness.replication import Standby, replicated

pytestmark = pytest.mark.edge

PRODUCTS, READS = 500, 15_000
_READING = """
SELECT sum(numbackends + xact_commit) FROM pg_stat_database WHERE datname = current_database()
"""


@pytest.fixture
def servers() -> Iterator[tuple[EmbeddedPostgres, Standby]]:
    """A primary with a made-up shop, and a standby that has all of it."""
    place = Path(tempfile.mkdtemp(prefix="standby-"))
    try:
        with replicated(place, 1) as (primary, (standby,)):
            settings = Settings(database_url=primary.url, state=place)
            migrate(primary.url, settings)
            generate_folder(place / "csv", products=PRODUCTS, seed=7)
            load_folder(primary.url, place / "csv", settings)
            end = value(primary.url, "SELECT pg_current_wal_flush_lsn()::text")
            wait_for(lambda: value(standby.url, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end))
            yield primary, standby
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_no_read_is_stale_where_a_standby_answers(
    clusters: Clusters, servers: tuple[EmbeddedPostgres, Standby]
) -> None:
    primary, standby = servers
    cluster = clusters(url=primary.url, replicas=2, REVIEWS_REPLICA_URLS=standby.url)
    edge = edge_of(cluster)
    before = value(standby.url, _READING)

    findings = loaded(primary.url, [edge], READS, most=PRODUCTS, writes=0.1)

    assert (findings.stale, findings.wrong, findings.errors, findings.failed_writes) == (0, 0, 0, 0), findings.told
    # The standby has answered, and not only looked at.
    assert value(standby.url, _READING) - before > 500
