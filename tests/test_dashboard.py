"""The dashboard's queries ask for what gateway and edge say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import yaml

from graphql_api.processes import Child, free_port
from tests.conftest import Requires
from tests.edge.test_metrics import PAGE
from tests.harness.edge import Fronted, running_edge
from tests.harness.exposition import Exposition, exposition_of
from tests.harness.gateway import Gateway
from tests.harness.processes import ROOT, wait_for

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docker/grafana/dashboards/reviews.json").read_text())
PROMETHEUS = ROOT / "docker" / "prometheus.yml"

METRIC = re.compile(r"\b((?:reviews|edge)_[a-z_]+)(\{[^}]*\})?")
MATCHER = re.compile(r'(\w+)(?:=~|=)"([^"]*)"')
GROUPED = re.compile(r"\bby \(([^)]*)\)")
SHOWN = re.compile(r"\{\{(\w+)\}\}")
BY_PROMETHEUS = {"instance", "job"}


class Query(NamedTuple):
    """A query of a panel, and what its lines are called."""

    panel: str
    expression: str
    legend: str


QUERIES = [
    Query(panel["title"], target["expr"], target["legendFormat"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]


def ids(queries: list[Query]) -> list[str]:
    return [f"{query.panel}, {query.legend}" for query in queries]


@pytest.fixture(scope="module")
def fronted(nginx: str, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    """An edge that has been asked for something of each kind, and its gateway with it."""
    assert nginx
    with running_edge(gateway, tmp_path_factory.mktemp("edge")) as running:
        for _ in range(2):
            running.http.get(PAGE).raise_for_status()
        running.http.post("/graphql", json={"query": "{ product(id: 1) { nothing } }"})
        yield running


@pytest.fixture(scope="module")
def edge_says(fronted: Fronted) -> Exposition:
    return fronted.metrics()


@pytest.fixture(scope="module")
def reviews_says(fronted: Fronted, gateway: Gateway) -> Exposition:
    """The gateway, after it was asked through the edge."""
    assert fronted
    return exposition_of(gateway.http.get("/metrics").raise_for_status().text)


@pytest.mark.parametrize("query", QUERIES, ids=ids(QUERIES))
def test_a_query_names_metrics_and_labels_that_are_there(query: Query, request: pytest.FixtureRequest) -> None:
    asked = METRIC.findall(query.expression)
    assert asked
    for name, selector in asked:
        found: Exposition = request.getfixturevalue(f"{name.partition('_')[0]}_says")
        assert name in found.samples
        labels = found.label_values(name)
        for label, values in MATCHER.findall(selector):
            assert set(values.split("|")) <= labels[label]
        grouped = {label.strip() for names in GROUPED.findall(query.expression) for label in names.split(",")}
        assert grouped <= {*labels, *BY_PROMETHEUS}
        assert set(SHOWN.findall(query.legend)) <= (grouped or {*labels, *BY_PROMETHEUS})
    # Whatever is not left out by a sum has to be in the name of a line, or two lines have one name.
    assert GROUPED.search(query.expression) or "sum(" in query.expression or SHOWN.search(query.legend)


@pytest.mark.parametrize("side", ["edge", "reviews"])
def test_every_metric_is_shown_somewhere(side: str, request: pytest.FixtureRequest) -> None:
    says: Exposition = request.getfixturevalue(f"{side}_says")
    told = {
        f"{family}_total" if kind == "counter" else family
        for family, kind in says.kinds.items()
        if family.startswith(f"{side}_")
    }
    shown = {name for query in QUERIES for name, _ in METRIC.findall(query.expression)}

    assert told == {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown if name.startswith(f"{side}_")}


def test_panels_lie_beside_each_other_and_have_names() -> None:
    panels = DASHBOARD["panels"]
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_the_source_of_the_panels_is_the_one_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((ROOT / "docker/grafana/provisioning/datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    wanted = {"type": source["type"], "uid": source["uid"]}
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

    assert all(panel["datasource"] == wanted for panel in panels)
    assert all(target["datasource"] == wanted for panel in panels for target in panel["targets"])


def test_promtool_takes_the_configuration(requires: Requires) -> None:
    done = subprocess.run(
        [requires("promtool"), "check", "config", str(PROMETHEUS)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def prometheus(
    requires: Requires, fronted: Fronted, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A Prometheus that has read both a few times. Each second, and their addresses are written down."""
    place = tmp_path_factory.mktemp("prometheus")
    addresses = {"gateway": gateway.url.removeprefix("http://"), "edge": fronted.edge.status}
    configuration = yaml.safe_load(PROMETHEUS.read_text())
    configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    for job in configuration["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [addresses[job["job_name"]]]}]
    (place / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    listen = f"127.0.0.1:{free_port()}"
    server = Child(
        "Prometheus",
        [
            requires("prometheus"),
            f"--config.file={place / 'prometheus.yml'}",
            f"--storage.tsdb.path={place / 'data'}",
            f"--web.listen-address={listen}",
        ],
        {},
        place / "log",
    )
    server.start()
    try:
        with httpx.Client(base_url=f"http://{listen}", timeout=30) as client:
            wait_for(lambda: _scrapes(client) or _ended(server))
            # A rate needs two values.
            before = _scrapes(client)
            fronted.http.get(PAGE).raise_for_status()
            wait_for(lambda: _scrapes(client) >= before + 2)
            yield client
    finally:
        server.stop()


def _ended(server: Child) -> bool:
    assert server.is_running(), server.log.read_text()
    return False


def _scrapes(client: httpx.Client) -> float:
    """How often each of the two was read, the one that was read less often."""
    query = "min(count_over_time(up[10m])) and count(up) == 2"
    try:
        answer = client.get("/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return 0
    found = answer.json()["data"]["result"] if answer.status_code == 200 else []
    return float(found[0]["value"][1]) if found else 0


def named(legend: str, labels: dict[str, str]) -> str:
    """What Grafana calls a line."""
    return SHOWN.sub(lambda label: labels[label[1]], legend)


@pytest.mark.parametrize("query", QUERIES, ids=ids(QUERIES))
def test_prometheus_answers_a_query_with_lines_of_different_names(query: Query, prometheus: httpx.Client) -> None:
    expression = query.expression.replace("$__rate_interval", "1m")
    answer = prometheus.get("/api/v1/query", params={"query": expression}).json()

    assert answer["status"] == "success", answer
    lines = [named(query.legend, series["metric"]) for series in answer["data"]["result"]]
    assert lines
    assert len(lines) == len(set(lines))
