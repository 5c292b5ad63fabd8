"""An nginx with the edge's modules for tests of one module each; replicas and edges for those of all of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.cluster import Cluster
from graphql_api.settings import Secret, Settings
from tests.edge.checking.faults import Outcome
from tests.edge.checking.said import machine, write_line
from tests.edge.checking.server import Server, server
from tests.edge.console import Console, running_console
from tests.harness.databases import Databases

PRODUCTS = int(os.environ.get("EDGE_PRODUCTS", "2000"))


@pytest.fixture(scope="session")
def console(nginx: str) -> Iterator[Console]:
    """Runs Lua beside the edge's modules."""
    assert nginx
    with running_console() as running:
        yield running


@pytest.fixture(scope="session")
def stocked(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with a made-up shop in it."""
    write_line(f"\n{machine()}, {PRODUCTS:,} products")
    url = databases.migrated()
    place = tmp_path_factory.mktemp("shop")
    generate_folder(place / "csv", products=PRODUCTS, seed=7)
    load_folder(url, place / "csv", Settings(database_url=Secret(url), state=place))
    return url


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL with such a shop that tests may hurt, if they mend it."""
    with server(tmp_path_factory.mktemp("own"), PRODUCTS) as made:
        yield made


_OUTCOMES = pytest.StashKey[list[Outcome]]()


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> list[Outcome]:
    """What the faults have shown, told together at the end."""
    return pytestconfig.stash.setdefault(_OUTCOMES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell the faults in one table."""
    outcomes = config.stash.get(_OUTCOMES, [])
    if outcomes:
        terminalreporter.section("faults")
        for line in (Outcome.HEAD, *(outcome.line() for outcome in outcomes)):
            terminalreporter.write_line(line)


Clusters = Callable[..., Cluster]


@pytest.fixture
def clusters(nginx: str, stocked: str, tmp_path: Path) -> Iterator[Clusters]:
    """Makes clusters over that database; they end with the test."""
    assert nginx
    made: list[Cluster] = []

    def make(*, url: str = stocked, replicas: int = 3, **settings: str) -> Cluster:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWS_")}
        environment = {**kept, "DATABASE_URL": url, "REVIEWS_LOG_LEVEL": "warning", "REVIEWS_GRAPHIQL": "false"}
        # All load comes from one address.
        environment |= {"REVIEWS_MUTATION_RATE": "0", "REVIEWS_DOCUMENT_RATE": "0", **settings}
        cluster = Cluster(environment, tmp_path / f"cluster-{len(made)}", replicas, print)
        made.append(cluster)
        cluster.start()
        return cluster

    yield make
    for cluster in made:
        cluster.stop()
