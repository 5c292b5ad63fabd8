"""The primary's address leads to a standby for a while: reads go on, writes are refused honestly."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.checking.faults import Outcome, until
from tests.edge.checking.load import Load
from tests.edge.checking.proxy import Proxy
from tests.edge.checking.server import Server
from tests.edge.conftest import Clusters
from tests.edge.test_database_faults import LASTS_S, hurt, longest_silence
from tests.harness.databases import value
from tests.harness.replication import Standby

pytestmark = [pytest.mark.edge, pytest.mark.faults]


@pytest.fixture
def standby(own_server: Server) -> Iterator[Standby]:
    place = Path(tempfile.mkdtemp(prefix="standby-"))
    made = Standby(own_server.embedded, place / "standby")
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.server.data, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)


def test_a_primary_that_became_a_standby_goes_on_reading(
    clusters: Clusters, own_server: Server, standby: Standby, table: list[Outcome]
) -> None:
    network = Proxy(own_server.socket)
    silences: list[float] = []

    async def fail_over(load: Load) -> float:
        # No write is under way when the standby has replayed all: what was acknowledged is there.
        network.cut()
        await network.lead_to(str(standby.server.socket / ".s.PGSQL.5432"))
        end = await asyncio.to_thread(value, own_server.url, "SELECT pg_current_wal_insert_lsn()::text")
        await until(lambda: value(standby.url, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end), 30)
        network.mend()
        turned = time.monotonic()
        await until(lambda: load.read_at > turned, 5)
        silences.append(await longest_silence(load, LASTS_S))
        await network.lead_to(own_server.socket)
        return time.monotonic()

    outcome = hurt("primary that became a standby", own_server, clusters, table, fail_over, by=network)

    assert silences[0] < 1
    assert outcome.findings.codes["SERVICE_UNAVAILABLE"] > 0
