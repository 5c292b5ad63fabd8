"""Parts that fail under load: no read is stale, wrong or lost while one replica lives and PostgreSQL answers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator

import asyncpg
import pytest

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.processes import Edge, Replica, free_port
from graphql_api.settings import Settings
from tests.edge.checking.faults import Fault, Outcome, under_load, until
from tests.edge.checking.load import Load
from tests.edge.checking.proxy import Proxy
from tests.edge.checking.said import write_line
from tests.edge.conftest import PRODUCTS, Clusters
from tests.edge.test_freshness import edge_of, status_of

pytestmark = pytest.mark.edge

SECONDS = float(os.environ.get("EDGE_FAULT_SECONDS", "3"))


def survived(name: str, url: str, edge: Edge, fault: Fault, *, forgiving: bool = False) -> Outcome:
    """What ``fault`` has shown; nothing stale, wrong or lost."""
    outcome = asyncio.run(
        under_load(name, url, [edge.listen], fault, most=PRODUCTS, seconds=SECONDS, forgiving=forgiving)
    )
    write_line(f"\n{Outcome.HEAD}\n{outcome.line()}   {dict(outcome.findings.states)}")
    found = outcome.findings
    assert (found.stale, found.wrong, found.errors) == (0, 0, 0), found.told
    assert (outcome.lost, outcome.doubled) == (0, 0)
    return outcome


def ready(edge: Edge, replica: Replica) -> bool:
    """Whether the edge sends requests to the replica."""
    return {"address": replica.address, "ready": True} in status_of(edge)["replicas"]


def test_a_replica_that_is_killed_costs_no_read(clusters: Clusters, stocked: str) -> None:
    cluster = clusters()
    edge = edge_of(cluster)

    async def kill(_: Load) -> float:
        replica = cluster.replicas[0]
        replica.tell(signal.SIGKILL)
        await asyncio.to_thread(replica.ended, 5)
        await asyncio.sleep(1)
        started = time.monotonic()
        replica.start()
        await until(lambda: ready(edge, replica), 30)
        return time.monotonic() - started

    outcome = survived("kill -9 of a replica", stocked, edge, kill)

    # Only what was under way there and could not be sent again.
    assert outcome.findings.failed_writes <= 24


def test_replicas_that_restart_in_turn_cost_nothing(clusters: Clusters, stocked: str) -> None:
    cluster = clusters()
    edge = edge_of(cluster)

    async def restart(_: Load) -> float:
        longest = 0.0
        for replica in cluster.replicas:
            assert await asyncio.to_thread(replica.stop) == 0
            replica.start()
            longest = max(longest, await until(lambda replica=replica: ready(edge, replica), 30))  # type: ignore[misc] # bound now
        return longest

    outcome = survived("all replicas restarted in turn", stocked, edge, restart)

    assert outcome.findings.failed_writes == 0


def test_without_the_channel_nothing_comes_from_the_cache(clusters: Clusters, stocked: str) -> None:
    cluster = clusters()
    hits: list[int] = []

    async def run() -> Outcome:
        proxies = [Proxy(replica.address) for replica in cluster.replicas]
        addresses = [await proxy.start() for proxy in proxies]
        edge = Edge(
            9,
            f"127.0.0.1:{free_port()}",
            f"127.0.0.1:{free_port()}",
            addresses,
            cluster.folder,
            {"EDGE_POST_RATE": "1000000", "EDGE_LOG": "off", "EDGE_WORKERS": "2"},
        )
        edge.start()
        cluster.edges.append(edge)
        await asyncio.to_thread(edge.wait_until_ready)

        async def cut(load: Load) -> float:
            for proxy in proxies:
                proxy.cut()
            await asyncio.sleep(1)
            hits.append(load.findings.states["HIT"])
            await asyncio.sleep(SECONDS)
            hits.append(load.findings.states["HIT"])
            for proxy in proxies:
                proxy.mend()
            return await until(lambda: bool(status_of(edge)["live"]), 10)

        try:
            return await under_load(
                "channel of changes cut", stocked, [edge.listen], cut, most=PRODUCTS, seconds=SECONDS
            )
        finally:
            await asyncio.to_thread(edge.stop)
            for proxy in proxies:
                await proxy.stop()

    outcome = asyncio.run(run())
    write_line(f"\n{Outcome.HEAD}\n{outcome.line()}   {dict(outcome.findings.states)}")

    found = outcome.findings
    assert (found.stale, found.wrong, found.errors, found.failed_writes) == (0, 0, 0, 0), found.told
    # Answers under way when the second was over may still have been hits.
    assert hits[1] - hits[0] <= 24
    assert found.states["HIT"] > hits[1] + 100
    assert outcome.recovery_s < 2


def test_a_cache_that_is_full_pushes_out_and_stays_exact(clusters: Clusters, stocked: str) -> None:
    edge = edge_of(clusters(), EDGE_CACHE_MIB="1")

    async def fill(load: Load) -> float:
        await until(lambda: load.findings.reads > 8000, 60)
        return 0.0

    survived("cache filled to its bound", stocked, edge, fill)

    assert status_of(edge)["cache"]["free_bytes"] < 200_000


def test_without_room_for_tags_everything_is_forgotten(clusters: Clusters, stocked: str) -> None:
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

    survived("numbers of tags pushed out", stocked, edge, evict)

    assert "no room left" in edge.log.read_text()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedPostgres, str]]:
    """A server that a test may restart, with a made-up shop in it."""
    place = tmp_path_factory.mktemp("own")
    server = EmbeddedPostgres.of(place)
    try:
        with server.running() as url:
            settings = Settings(database_url=url, state=place)
            migrate(url, settings)
            generate_folder(place / "csv", products=PRODUCTS, seed=7)
            load_folder(url, place / "csv", settings)
            yield server, url
    finally:
        shutil.rmtree(server.data, ignore_errors=True)


def test_postgresql_that_restarts_is_told_honestly_and_at_once(
    clusters: Clusters, own_server: tuple[EmbeddedPostgres, str]
) -> None:
    server, url = own_server
    cluster = clusters(url=url)
    edge = edge_of(cluster)
    refusals: list[float] = []

    async def restart(load: Load) -> float:
        await asyncio.to_thread(server._run, "pg_ctl", "stop", "-D", str(server.data), "-m", "fast", "-w")
        await asyncio.sleep(1)
        load.refusals_s.clear()
        await asyncio.sleep(1)
        refusals.extend(sorted(load.refusals_s))
        await asyncio.to_thread(server._start)
        accepting = time.monotonic()
        load.good_reads = []
        await until(lambda: bool(load.good_reads), 10)
        return time.monotonic() - accepting

    outcome = survived("PostgreSQL restarted", url, edge, restart, forgiving=True)
    p99 = refusals[int(len(refusals) * 0.99) - 1]
    write_line(f"refusals: p99 {p99 * 1000:.0f} ms, slowest {refusals[-1] * 1000:.0f}; {outcome.findings.statuses}")

    assert outcome.findings.statuses[503] > 0
    assert p99 <= 0.1
    assert outcome.recovery_s <= 1
