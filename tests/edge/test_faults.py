"""Parts that fail under load: no read is stale, wrong or lost while one replica lives and PostgreSQL answers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from graphql_api.cluster import Cluster
from graphql_api.processes import Edge, Replica, free_port
from tests.edge.checking.faults import Fault, Outcome, under_load, until
from tests.edge.checking.load import Load
from tests.edge.checking.proxy import CHANNEL, Proxy
from tests.edge.checking.said import write_line
from tests.edge.conftest import PRODUCTS, Clusters
from tests.edge.test_freshness import edge_of, status_of

pytestmark = pytest.mark.edge

SECONDS = float(os.environ.get("EDGE_FAULT_SECONDS", "3"))
DEAD_S = float(os.environ.get("EDGE_FAULT_SECONDS", "10"))
"""For so long a replica that was killed is away."""


def survived(
    name: str, url: str, edge: Edge, table: list[Outcome], fault: Fault, *, forgiving: bool = False
) -> Outcome:
    """What ``fault`` has shown; nothing stale, wrong or lost."""
    outcome = asyncio.run(
        under_load(name, url, [edge.listen], fault, most=PRODUCTS, seconds=SECONDS, forgiving=forgiving)
    )
    table.append(outcome)
    write_line(f"\n{Outcome.HEAD}\n{outcome.line()}   {dict(outcome.findings.states)}")
    found = outcome.findings
    assert (found.stale, found.wrong, found.errors) == (0, 0, 0), found.told
    assert (outcome.lost, outcome.doubled) == (0, 0)
    return outcome


def ready(edge: Edge, replica: Replica) -> bool:
    """Whether the edge sends requests to the replica."""
    told = [(one["address"], one["ready"]) for one in status_of(edge)["replicas"]]
    return (replica.address, True) in told


def test_a_replica_that_is_killed_costs_no_read(clusters: Clusters, stocked: str, table: list[Outcome]) -> None:
    cluster = clusters()
    edge = edge_of(cluster)

    async def kill(_: Load) -> float:
        replica = cluster.replicas[0]
        replica.tell(signal.SIGKILL)
        await asyncio.to_thread(replica.ended, 5)
        await asyncio.sleep(DEAD_S)
        started = time.monotonic()
        replica.start()
        await until(lambda: ready(edge, replica), 30)
        return time.monotonic() - started

    outcome = survived("kill -9 of a replica", stocked, edge, table, kill)

    # Only what was under way there and could not be sent again.
    assert outcome.findings.failed_writes <= 24


def test_replicas_that_restart_in_turn_cost_nothing(clusters: Clusters, stocked: str, table: list[Outcome]) -> None:
    cluster = clusters()
    edge = edge_of(cluster)

    async def restart(_: Load) -> float:
        longest = 0.0
        for replica in cluster.replicas:
            assert await asyncio.to_thread(replica.stop) == 0
            replica.start()
            longest = max(longest, await until(lambda replica=replica: ready(edge, replica), 30))  # type: ignore[misc] # bound now
        return longest

    outcome = survived("all replicas restarted in turn", stocked, edge, table, restart)

    assert outcome.findings.failed_writes == 0


def without_channel(
    name: str,
    cluster: Cluster,
    url: str,
    table: list[Outcome],
    also: Callable[[Edge], Awaitable[None]] | None = None,
    **settings: str,
) -> None:
    """Cut the channel, and see that the edge, which has ``settings``, knows it. ``also`` is done just then."""
    hits: list[int] = []

    async def run() -> Outcome:
        proxies = [Proxy(replica.address, CHANNEL) for replica in cluster.replicas]
        addresses = [await proxy.start() for proxy in proxies]
        edge = Edge(
            9,
            f"127.0.0.1:{free_port()}",
            f"127.0.0.1:{free_port()}",
            addresses,
            cluster.folder,
            {"EDGE_POST_RATE": "1000000", "EDGE_LOG": "off", "EDGE_WORKERS": "2", **settings},
        )
        edge.start()
        cluster.edges.append(edge)
        await asyncio.to_thread(edge.wait_until_ready)

        async def cut(load: Load) -> float:
            for proxy in proxies:
                proxy.cut()
            if also is not None:
                await also(edge)
            await asyncio.sleep(1)
            hits.append(load.findings.states["HIT"])
            await asyncio.sleep(SECONDS)
            hits.append(load.findings.states["HIT"])
            for proxy in proxies:
                proxy.mend()
            return await until(lambda: bool(status_of(edge)["live"]), 10)

        try:
            return await under_load(name, url, [edge.listen], cut, most=PRODUCTS, seconds=SECONDS)
        finally:
            await asyncio.to_thread(edge.stop)
            for proxy in proxies:
                await proxy.stop()

    outcome = asyncio.run(run())
    table.append(outcome)
    write_line(f"\n{Outcome.HEAD}\n{outcome.line()}   {dict(outcome.findings.states)}")

    found = outcome.findings
    assert (found.stale, found.wrong, found.errors, found.failed_writes) == (0, 0, 0, 0), found.told
    # Answers under way when the second was over may still have been hits.
    assert hits[1] - hits[0] <= 24
    assert found.states["HIT"] > hits[1] + 100
    assert outcome.recovery_s < 2


def test_without_the_channel_nothing_comes_from_the_cache(
    clusters: Clusters, stocked: str, table: list[Outcome]
) -> None:
    without_channel("channel of changes cut", clusters(), stocked, table)


@pytest.mark.faults
def test_a_cache_that_is_full_pushes_out_and_stays_exact(
    clusters: Clusters, stocked: str, table: list[Outcome]
) -> None:
    edge = edge_of(clusters(), EDGE_CACHE_MIB="1")

    async def fill(load: Load) -> float:
        await until(lambda: load.findings.reads > 8000, 60)
        return 0.0

    survived("cache filled to its bound", stocked, edge, table, fill)

    assert status_of(edge)["cache"]["free_bytes"] < 200_000


@pytest.mark.faults
def test_without_room_for_tags_everything_is_forgotten(clusters: Clusters, stocked: str, table: list[Outcome]) -> None:
    edge = edge_of(clusters(), EDGE_TAGS_MIB="1")

    async def evict(_: Load) -> float:
        connection = await asyncpg.connect(stocked)
        for start in range(10_000_000, 10_030_000, 300):
            await connection.execute(
                "SELECT record_change(array_agg('product:' || n), 0) FROM generate_series($1::bigint, $1 + 299) AS n",
                start,
            )
        await connection.close()
        return 0.0

    survived("numbers of tags pushed out", stocked, edge, table, evict)

    assert "no room left" in edge.log.read_text()
