"""What the edge says of itself to Prometheus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.test_documents import DOCUMENTS
from tests.edge.console import Console
from tests.harness.edge import Fronted, running_edge
from tests.harness.exposition import exposition_of
from tests.harness.gateway import Gateway

HASH = hashlib.sha256(DOCUMENTS["ProductCards"].encode()).hexdigest()
PAGE = f"/graphql/p/{HASH}/ProductCards?variables=%7B%22ids%22:%5B1%5D%7D"
STATES = {"hit", "same", "miss", "waited", "pass", "stale", "failed", "raced", "shed"}


@pytest.fixture
def fronted(nginx: str, gateway: Gateway, tmp_path: Path) -> Iterator[Fronted]:
    assert nginx
    with running_edge(gateway, tmp_path) as running:
        yield running


def test_every_family_has_its_type_and_its_labels(console: Console) -> None:
    console.run('require("edge.peers").publish({ { host = "10.0.0.1", port = 8000, ready = false } })')
    text = console.call("edge.metrics", "text")
    found = exposition_of(text)

    assert found.kinds == {
        "edge_requests": "counter",
        "edge_writes": "counter",
        "edge_changes": "counter",
        "edge_live": "gauge",
        "edge_replica_ready": "gauge",
        "edge_replica_requests": "gauge",
        "edge_cache_bytes": "gauge",
        "edge_upstream_seconds": "histogram",
    }
    assert found.label_values("edge_requests_total") == {"state": STATES}
    assert found.label_values("edge_cache_bytes") == {"dictionary": {"pages", "tags"}, "kind": {"capacity", "free"}}
    assert found.value("edge_replica_ready", address="10.0.0.1:8000") == 0
    assert found.value("edge_cache_bytes", dictionary="pages", kind="capacity") == 1024**2
    assert text.count("# HELP ") == text.count("# TYPE ") == len(found.kinds)


def test_a_duration_falls_into_the_buckets_that_are_not_below_it(console: Console) -> None:
    def seconds() -> dict[str, float]:
        found = exposition_of(console.call("edge.metrics", "text"))
        buckets = {dict(labels)["le"]: value for labels, value in found.samples["edge_upstream_seconds_bucket"].items()}
        assert buckets["+Inf"] == found.value("edge_upstream_seconds_count")
        return {**buckets, "sum": found.value("edge_upstream_seconds_sum")}

    before = seconds()
    console.run("for _, took in ipairs({ 0, 0.005, 0.0051, 0.3, 60 }) do require('edge.durations').add(took) end")
    after = seconds()

    assert {bound: after[bound] - before[bound] for bound in after} == {
        "0.001": 1,
        "0.002": 1,
        "0.005": 3,
        "0.01": 3,
        "0.025": 3,
        "0.05": 3,
        "0.1": 3,
        "0.25": 3,
        "0.5": 4,
        "1": 4,
        "2.5": 4,
        "5": 4,
        "10": 4,
        "+Inf": 5,
        "sum": pytest.approx(60.31),
    }


def test_the_durations_of_all_workers_are_added(console: Console) -> None:
    ones, twos = " ".join(["1"] * 15), " ".join(["2"] * 15)
    (summed,) = console.run(f"return require('edge.durations').summed({{ '{ones}', '', '{twos}' }})")

    assert summed == {"within": [3 * place for place in range(1, 14)], "count": 42, "seconds": 0.003}


def test_a_label_is_written_so_that_it_is_read_again(console: Console) -> None:
    console.run('require("edge.peers").publish({ { host = [[a"\\b]], port = 1, ready = true } })')

    assert exposition_of(console.call("edge.metrics", "text")).value("edge_replica_ready", address='a"\\b:1') == 1


def test_requests_are_counted_by_what_became_of_them(fronted: Fronted) -> None:
    asked = [fronted.http.get(PAGE) for _ in range(2)]
    asked.append(fronted.http.get(PAGE, headers={"if-none-match": asked[0].headers["etag"]}))
    asked.append(fronted.http.get("/graphql?query=%7B__typename%7D"))
    assert [one.status_code for one in asked] == [200, 200, 304, 200]

    found = fronted.metrics()

    counted = {state: found.value("edge_requests_total", state=state) for state in STATES}
    assert counted == {**dict.fromkeys(STATES, 0), "miss": 1, "hit": 1, "same": 1, "pass": 1}
    assert found.value("edge_upstream_seconds_count") == 1
    assert 0 <= found.value("edge_upstream_seconds_sum") < 5
    assert found.value("edge_live") == 1
    assert found.samples["edge_replica_ready"] == {
        frozenset({("address", fronted.edge.environment["EDGE_UPSTREAM"])}): 1
    }


def test_prometheus_is_told_at_the_status_address_alone(fronted: Fronted) -> None:
    told = fronted.status.get("/metrics")

    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert fronted.http.get("/metrics").status_code == 404
