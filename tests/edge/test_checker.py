"""The checker is one: it finds what is stale where the edge is built wrongly, in each of the ways that were tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.conftest import Clusters
from tests.edge.test_freshness import edge_of, loaded

pytestmark = pytest.mark.edge

WRONG = Path(__file__).parent / "wrong"
READS = 10_000


@pytest.mark.parametrize("design", ["generations_late", "join_blindly", "first_tag_only"])
def test_a_wrong_design_is_caught(clusters: Clusters, stocked: str, design: str) -> None:
    cluster = clusters()
    edge = edge_of(cluster, EDGE_LUA=str(WRONG / f"{design}.lua"))

    findings = loaded(stocked, [edge], READS, most=200, writes=0.15)

    assert findings.stale > 0
    assert findings.errors == 0
