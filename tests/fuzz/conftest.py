"""What the fuzzed servers share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from etl.load import load_folder
from graphql_api.cluster import Cluster
from graphql_api.settings import Secret, Settings
from tests.conftest import SAMPLE
from tests.harness.databases import Databases
from tests.harness.processes import environment


@pytest.fixture(scope="session")
def seconds() -> float:
    """How long each server is fuzzed."""
    return float(os.environ.get("FUZZ_SECONDS", "10"))


@pytest.fixture(scope="module")
def cluster(nginx: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One replica over the sample catalogue, in a process of its own."""
    assert nginx
    url, place = databases.migrated(), tmp_path_factory.mktemp("fuzz")
    load_folder(url, SAMPLE, Settings(database_url=Secret(url), state=place))
    given = {"DATABASE_URL": url, "REVIEWS_MUTATION_RATE": "0", "REVIEWS_DOCUMENT_RATE": "0"}
    given["REVIEWS_REPORTS_TO_HIDE"] = "1000000"  # what is hidden is asked for no more
    made = Cluster(environment(**given), place / "cluster", 1, print)
    made.start()
    try:
        yield made
    finally:
        made.stop()
