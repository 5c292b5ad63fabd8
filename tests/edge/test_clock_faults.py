"""A system's clock that is set while replicas and edge serve: nothing is stale, wrong or refused for it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from graphql_api.processes import Edge
from tests.conftest import Unmet
from tests.edge.checking.faked_clock import FakedClock, ahead_s, library
from tests.edge.checking.faults import Outcome, all_well, until
from tests.edge.checking.load import Load
from tests.edge.conftest import Clusters
from tests.edge.test_faults import survived, without_channel
from tests.edge.test_freshness import edge_of

pytestmark = pytest.mark.edge

LASTS_S = float(os.environ.get("EDGE_FAULT_SECONDS", "10"))
HOUR_S = 3600
JUMPS = (HOUR_S, 0, -HOUR_S, 0, 3 * HOUR_S, 0, -3 * HOUR_S, 0)
"""How far the clock is ahead, one after the other. Pages are kept for an hour, the numbers of tags for two."""


@pytest.fixture
def clock(unmet: Unmet) -> Iterator[FakedClock]:
    found = library() or unmet("libfaketime is not installed: apt-get install faketime")
    with TemporaryDirectory(prefix="clock-") as folder:
        Path(folder).chmod(0o755)
        yield FakedClock(found, Path(folder))


async def set_clock(clock: FakedClock, seconds: int, addresses: list[str]) -> None:
    """Set it, and see that those at ``addresses`` go by it: uvicorn looks at it once a second."""
    clock.set_by(seconds)
    for address in addresses:
        await until(lambda address=address: abs(ahead_s(address) - seconds) < 5, 5)  # type: ignore[misc] # bound now


def test_a_clock_that_jumps_costs_nothing(
    clusters: Clusters, stocked: str, table: list[Outcome], clock: FakedClock
) -> None:
    cluster = clusters(**clock.environment)
    edge = edge_of(cluster, **clock.environment_of_edge)

    async def jump(load: Load) -> float:
        started = time.monotonic()
        for number, seconds in enumerate(JUMPS, 1):
            await set_clock(clock, seconds, [edge.listen, *(replica.address for replica in cluster.replicas)])
            await asyncio.sleep(max(0.0, started + number * LASTS_S / len(JUMPS) - time.monotonic()))
        return await all_well(load, time.monotonic(), 10)

    outcome = survived("clock set, 1 h and 3 h to and fro", stocked, edge, table, jump)

    assert outcome.findings.failed_writes == 0
    assert edge.log.read_text().count("the clock was set") >= len(JUMPS)


@pytest.mark.faults
def test_a_channel_that_is_cut_when_the_clock_is_set_back_is_silent_all_the_same(
    clusters: Clusters, stocked: str, table: list[Outcome], clock: FakedClock
) -> None:
    async def set_back(edge: Edge) -> None:
        # What was under way is read: a sign of life that came after the jump would be told by the new time.
        await asyncio.sleep(0.2)
        await set_clock(clock, -HOUR_S, [edge.listen])

    without_channel(
        "channel cut and clock set back 1 h", clusters(), stocked, table, set_back, **clock.environment_of_edge
    )
