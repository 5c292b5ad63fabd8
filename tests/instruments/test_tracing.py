"""Traces, as a collector gets them over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest

from tests.harness.collector import Collector, attributes, collecting
from tests.harness.gateway import Gateway
from tests.harness.processes import environment
from tests.instruments.conftest import Watched
from tests.instruments.test_figures import PAGE, persisted, sha256

ROOT = Path(__file__).resolve().parents[2]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, CLIENT, ERROR = 2, 3, 2


@pytest.fixture(scope="module")
def collected(watched: Watched) -> Collector:
    """What a gateway sends of four requests, one of them in a trace of its client's."""
    parameters = {"documentId": f"sha256:{sha256(PAGE)}", "variables": orjson.dumps({"id": "2"}).decode()}
    with collecting() as collector, watched(otlp_endpoint=f"{collector.url}/") as traced:
        for flags in ("01", "00"):
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "x-request-id": f"traced-{flags}"}
            traced.http.get("/graphql", params=parameters, headers=headers)
        traced.send("query Mine { product(id: 1) { reviews(first: 0) { totalCount } } }")
        traced.send("{")
    return collector


def test_an_operation_is_a_span_in_its_clients_trace(collected: Collector) -> None:
    (span,) = collected.named("query ProductPage")
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.kind) == (TRACE, PARENT, SERVER)
    found = attributes(list(span.attributes))
    assert found.pop("reviews.cost") != 0
    assert found == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "ProductPage",
        "graphql.document.hash": sha256(PAGE),
        "reviews.outcome": "ok",
        "reviews.request_id": "traced-01",
    }
    assert span.status.code != ERROR
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 30_000_000_000


def test_a_batch_is_a_span_linked_to_its_operations(collected: Collector) -> None:
    (operation,) = collected.named("query ProductPage")
    (batch,) = [one for one in collected.named("load ProductsById") if one.trace_id == operation.trace_id]
    assert attributes(list(batch.attributes)) == {
        "db.system": "postgresql",
        "reviews.loader": "ProductsById",
        "reviews.batch.keys": 1,
    }
    assert [(link.trace_id, link.span_id) for link in batch.links] == [(operation.trace_id, operation.span_id)]
    assert (batch.trace_id, batch.parent_span_id, batch.kind) == (operation.trace_id, operation.span_id, CLIENT)
    assert operation.start_time_unix_nano < batch.start_time_unix_nano < batch.end_time_unix_nano
    assert batch.end_time_unix_nano < operation.end_time_unix_nano


def test_an_error_is_a_status_and_a_name_of_anybodys_choice_no_name_of_a_span(collected: Collector) -> None:
    (span,) = [
        one for one in collected.spans if attributes(list(one.attributes)).get("graphql.operation.name") == "Mine"
    ]
    assert (span.name, span.status.code, span.parent_span_id) == ("query", ERROR, b"")
    assert attributes(list(span.attributes))["reviews.outcome"] == "error"


def test_a_request_that_came_to_no_operation_is_a_span_too(collected: Collector) -> None:
    (span,) = collected.named("GraphQL")
    assert attributes(list(span.attributes))["reviews.outcome"] == "refused"


def test_what_the_client_does_not_sample_is_not_sent(collected: Collector) -> None:
    ids = [attributes(list(span.attributes)).get("reviews.request_id") for span in collected.spans]
    assert "traced-00" not in ids
    # The batches of the one that is sampled, and of the one with a trace of its own.
    assert len(collected.named("load ProductsById")) == 2


def test_they_go_to_the_path_of_traces_under_the_gateways_name(collected: Collector) -> None:
    assert (collected.paths, collected.services) == ({"/v1/traces"}, {"reviews-gateway"})


def test_an_address_for_traces_alone_is_taken_as_it_is(watched: Watched) -> None:
    with collecting() as collector:
        with watched(otlp_endpoint="http://127.0.0.1:1", otlp_traces_endpoint=f"{collector.url}/here") as traced:
            assert "errors" not in persisted(traced, PAGE, id="2").json()
        assert collector.paths == {"/here"}
        assert len(collector.named("query ProductPage")) == 1


def test_a_batch_that_several_operations_share_is_linked_to_each(watched: Watched) -> None:
    async def ask(gateway: Gateway) -> None:
        """Four requests at once: two begin a batch each, which waits in PostgreSQL, and two share the one after."""
        holder = await asyncpg.connect(gateway.database)
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            await holder.execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
            asking = []
            for number in (1, 2, 3, 4):
                body = {"query": f"{{ product(id: {number}) {{ name }} }}"}
                asking.append(asyncio.create_task(client.post("/graphql", json=body)))
                await asyncio.sleep(0.2)
            await holder.execute("COMMIT")
            for task in asking:
                assert "errors" not in (await task).json()
        await holder.close()

    with collecting() as collector:
        with watched(otlp_endpoint=collector.url) as traced:
            asyncio.run(ask(traced))
        operations = {span.span_id for span in collector.named("query")}
        batches = collector.named("load ProductsById")
    assert sorted(attributes(list(batch.attributes))["reviews.batch.keys"] for batch in batches) == [1, 1, 2]
    links = [{link.span_id for link in batch.links} for batch in batches]
    assert sorted(map(len, links)) == [1, 1, 2]
    assert set.union(*links) == operations
    assert len(operations) == 4


_WITHOUT = """
import sys
from graphql_api.app import create_app
from graphql_api.settings import Secret, Settings
create_app(Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/none")))
sys.exit(any(name.partition(".")[0] == "opentelemetry" for name in sys.modules))
"""


def test_without_an_address_nothing_of_it_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT], cwd=ROOT, env=environment(), check=False)
    assert done.returncode == 0


_NOT_INSTALLED = """
import sys
sys.modules["opentelemetry.context"] = None  # what an import finds where the extra is not installed
import logging
logging.basicConfig(format="%(name)s: %(message)s")
from graphql_api.app import create_app
from graphql_api.settings import Secret, Settings
url = Secret("postgresql://nobody@127.0.0.1:1/none")
create_app(Settings(database_url=url, otlp_endpoint="http://127.0.0.1:1"))
"""


def test_an_address_without_the_extra_is_told_and_no_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NOT_INSTALLED], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr == (
        "reviews: No traces are sent: opentelemetry.context is not installed; the extra otel brings it.\n"
    )
