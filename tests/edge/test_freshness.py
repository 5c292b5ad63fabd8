"""No read shows less than what was acknowledged before it was sent."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from typing import Any

import pytest

from graphql_api.cluster import Cluster
from graphql_api.processes import Edge, free_port
from tests.edge.checking.load import Findings, Load
from tests.edge.checking.said import write_line
from tests.edge.checking.staleness import Delays, delays_of_sql, delays_of_votes
from tests.edge.checking.world import World
from tests.edge.conftest import PRODUCTS, Clusters

pytestmark = pytest.mark.edge

READS = int(os.environ.get("EDGE_READS", "100000"))


def edge_of(cluster: Cluster, **more: str) -> Edge:
    """An edge with two workers and no limit of writes."""
    settings = {"EDGE_WORKERS": "2", "EDGE_POST_RATE": "1000000", "EDGE_LOG": "off", **more}
    return cluster.add_edge(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", **settings)


def status_of(edge: Edge) -> dict[str, Any]:
    """What the edge says of itself."""
    with urllib.request.urlopen(f"http://{edge.status}/status", timeout=5) as answer:
        state: dict[str, Any] = json.load(answer)
    return state


def loaded(url: str, edges: list[Edge], reads: int, *, most: int = PRODUCTS, writes: float = 0.05) -> Findings:
    """What a mixed load of ``reads`` on ``most`` products shows; ``writes`` is the share of mutations."""

    async def run() -> Findings:
        world = await World.of(url, most=most, edges=len(edges))
        load = Load(world, [edge.listen for edge in edges], writes=writes)
        await load.register()
        return await load.run(reads)

    findings = asyncio.run(run())
    write_line(str(findings.summary()))
    return findings


def test_no_read_is_stale(clusters: Clusters, stocked: str) -> None:
    cluster = clusters()

    findings = loaded(stocked, [edge_of(cluster)], READS)

    assert (findings.stale, findings.wrong, findings.errors, findings.failed_writes) == (0, 0, 0, 0), findings.told
    assert findings.reads >= READS
    assert findings.states["HIT"] > READS / 4


def test_two_edges_and_sql_by_hand_are_within_a_tenth_of_a_second(clusters: Clusters, stocked: str) -> None:
    cluster = clusters()
    edges = [edge_of(cluster), edge_of(cluster)]

    async def run() -> tuple[Findings, Delays, Delays]:
        world = await World.of(stocked, most=PRODUCTS, edges=2)
        # Below half of what two cores do beside everything else: 420 of 1,086 reads a second. Without pauses it is 600,
        # and the 99th percentile is the machine's: 105 ms where it is 27 ms with them.
        load = Load(world, [edge.listen for edge in edges], pause_s=0.005)
        await load.register()
        under = asyncio.create_task(load.run(connections=4))
        elsewhere = await delays_of_votes(edges[0].listen, edges[1].listen, world)
        by_hand = await delays_of_sql(stocked, edges[1].listen, world)
        load.stop()
        return await under, elsewhere, by_hand

    findings, elsewhere, by_hand = asyncio.run(run())
    write_line(f"{findings.summary()} elsewhere {elsewhere} by hand {by_hand}")

    assert (findings.stale, findings.wrong, findings.errors, findings.failed_writes) == (0, 0, 0, 0), findings.told
    assert max(elsewhere.p99_ms, by_hand.p99_ms) <= 100
