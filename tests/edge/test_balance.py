"""How reads are spread over the replicas."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.edge.conftest import Clusters
from tests.edge.test_http import Front, card, front_of
from tests.harness.processes import wait_for

pytestmark = pytest.mark.edge

READS = 200


def asked(front: Front, first: int) -> Counter[str]:
    """How many of so many misses, of products from ``first`` on, each replica was asked."""
    before = front.edge.log.stat().st_size
    states = [front.http.get(card(number)).headers["x-cache"] for number in range(first, first + READS)]
    assert states == ["MISS"] * READS
    return Counter(re.findall(r"asked: ([\d.:]+)", front.edge.log.read_text()[before:]))


def all_ready(front: Front) -> bool:
    """Whether the edge uses every replica."""
    status = front.http.get(f"http://{front.edge.status}/status").json()
    return all(replica["ready"] for replica in status["replicas"])


def test_a_replica_that_joins_gets_its_share_of_reads_and_no_more(clusters: Clusters) -> None:
    cluster = clusters(replicas=2)
    first, second = cluster.replicas
    second.stop()
    front = front_of(cluster, EDGE_LUA=str(Path(__file__).with_name("asked.lua")))
    assert asked(front, 1)[first.address] == READS

    second.start()
    second.wait_until_ready()
    wait_for(lambda: all_ready(front))
    together = asked(front, 1 + READS)

    # One is as likely as the other: fewer than 60 of 200 come once in a hundred million times.
    assert sum(together.values()) == READS
    assert min(together[first.address], together[second.address]) >= 60
    front.http.close()
