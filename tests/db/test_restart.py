"""What the gateway answers while its database is down, and how soon it answers well again."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

import pytest

from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Settings
from tests.conftest import SAMPLE
from tests.harness.gateway import running_gateway
from tests.harness.processes import wait_for

READ = {"query": "{ product(id: 1) { name } }"}
WRITE = {"query": "mutation { markReviewHelpful(input: {reviewId: 1}) { review { helpfulness } } }"}


@pytest.mark.parametrize("execution", ["compiled", "reference"])
def test_a_database_that_is_down_is_a_503_at_once_and_forgotten_when_it_is_back(tmp_path: Path, execution: str) -> None:
    server = EmbeddedPostgres.of(tmp_path)
    try:
        with server.running() as url:
            migrate(url, Settings())
            load_folder(url, SAMPLE, Settings())
            with running_gateway(Settings(database_url=url, state=tmp_path, execution=execution)) as gateway:
                assert gateway.http.post("/graphql", json=READ).json() == {"data": {"product": {"name": "Camo Onesie"}}}
                server._run("pg_ctl", "stop", "-D", str(server.data), "-m", "immediate", "-w")
                for sent in (READ, WRITE):
                    times = []
                    for _ in range(5):
                        began = time.monotonic()
                        refused = gateway.http.post("/graphql", json=sent)
                        times.append(time.monotonic() - began)
                        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
                        (error,) = refused.json()["errors"]
                        assert error["extensions"]["code"] == "SERVICE_UNAVAILABLE"
                    assert statistics.median(times) < 0.1
                time.sleep(0.5)  # so long a good look is remembered
                assert gateway.http.get("/readyz").status_code == 503
                server._start()
                # Each 100 ms it is asked whether it is back.
                wait_for(lambda: gateway.http.post("/graphql", json=READ).status_code == 200)
                assert gateway.http.post("/graphql", json=READ).json() == {"data": {"product": {"name": "Camo Onesie"}}}
                assert gateway.http.post("/graphql", json=WRITE).status_code == 200
                assert gateway.http.get("/readyz").status_code == 200
    finally:
        shutil.rmtree(server.data, ignore_errors=True)
