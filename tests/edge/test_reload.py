"""nginx that reads its configuration anew, as for a renewed certificate: the numbers go on, the pages are forgotten."""

from __future__ import annotations

import signal
import time

import pytest

from graphql_api.processes import Edge
from tests.edge.conftest import Clusters
from tests.edge.spellings import HASHES
from tests.edge.test_freshness import edge_of, status_of
from tests.edge.test_spellings import Asked
from tests.harness.processes import wait_for

pytestmark = pytest.mark.edge

PATH = f"/graphql/p/{HASHES['search']}/S"


def asked(edge: Edge) -> str | None:
    """The cache's state for the page, asked on a new connection."""
    connection = Asked(edge.listen)
    try:
        answer, state = connection.get(PATH, None)
    finally:
        connection.close()
    assert answer.status == 200
    return state


def test_after_a_reload_numbers_go_on_and_every_page_is_forgotten(clusters: Clusters) -> None:
    cluster = clusters(replicas=1)
    edge = edge_of(cluster, EDGE_WORKERS="1")
    gateway = Asked(cluster.replicas[0].address)
    gateway.register()
    gateway.close()
    wait_for(lambda: status_of(edge)["live"])
    assert [asked(edge), asked(edge)] == ["MISS", "HIT"]
    before = status_of(edge)["begun"]

    edge.tell(signal.SIGHUP)
    wait_for(lambda: status_of(edge)["begun"] > before)
    # The worker of before takes no connection any more once the new one does.
    time.sleep(0.5)

    assert status_of(edge)["begun"] == before + 1
    wait_for(lambda: status_of(edge)["live"])
    assert [asked(edge), asked(edge)] == ["MISS", "HIT"]
