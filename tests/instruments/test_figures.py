"""The figures over HTTP: each of the contract's, counted exactly."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

import graphql_api.documents
from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases, run, waiting_for_lock
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.scraping import Figures, grown, scraped
from tests.harness.shop import Shop
from tests.instruments.conftest import Watched

PAGE = (Path(graphql_api.documents.__file__).parent / "ProductPage.graphql").read_text()
CARDS = (Path(graphql_api.documents.__file__).parent / "ProductCards.graphql").read_text()
Grown = Callable[[str], dict[tuple[str, ...], float]]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(gateway: Gateway, text: str, **variables: Any) -> httpx.Response:
    """The answer to a GET of the text's hash."""
    parameters = {"documentId": f"sha256:{sha256(text)}", "variables": orjson.dumps(variables).decode()}
    return gateway.http.get("/graphql", params=parameters)


def registered(gateway: Gateway, text: str) -> dict[str, Any]:
    sent = {"query": text, "documentId": f"sha256:{sha256(text)}"}
    body: dict[str, Any] = gateway.http.post("/graphql", json=sent).json()
    return body


@contextmanager
def counting(gateway: Gateway) -> Iterator[Grown]:
    """Gives, after the context, what has grown in it."""
    before, after = scraped(gateway.http), Figures()
    yield lambda name: grown(before, after, name)
    after.update(scraped(gateway.http))


def test_an_answer_counts_once_with_its_operation_and_outcome(own: Gateway) -> None:
    with counting(own) as grew:
        assert "errors" not in persisted(own, PAGE, id="2").json()
        assert "errors" not in persisted(own, PAGE, id="1").json()
        assert "errors" not in own.send("{ product(id: 1) { name } }")
        assert "errors" in own.send("{ product(id: 1) { reviews(first: 0) { totalCount } } }")
        # Sent as a text, it is the trusted document all the same.
        assert "errors" not in own.send(PAGE, id="2")
    assert grew("reviews_requests_total") == {("ProductPage", "ok"): 3, ("ad hoc", "ok"): 1, ("ad hoc", "error"): 1}
    assert grew("reviews_request_seconds_count") == {("ProductPage",): 3, ("ad hoc",): 2}
    assert grew("reviews_documents_total") == {("known",): 2, ("text",): 3}


@pytest.mark.parametrize(
    ("request_", "operation", "code"),
    [
        ({"query": "{"}, "ad hoc", "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "ad hoc", "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename } query B { __typename }"}, "ad hoc", "OPERATION_RESOLUTION_FAILURE"),
        ({"documentId": f"sha256:{sha256(PAGE)}", "variables": {}}, "ProductPage", "BAD_USER_INPUT"),
        ({"documentId": f"sha256:{sha256(PAGE)}", "operationName": "Nope"}, "other", "OPERATION_RESOLUTION_FAILURE"),
        ({"documentId": f"sha256:{'0' * 64}"}, "other", "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": 5}, "other", "BAD_REQUEST"),
        (
            {"query": "{ catalog(first: 100) { nodes { reviews(first: 100) { nodes { photos { url } } } } } }"},
            "ad hoc",
            "COST_LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_refusal_counts_with_its_code_whatever_its_status(
    own: Gateway, request_: dict[str, Any], operation: str, code: str
) -> None:
    with counting(own) as grew:
        response = own.http.post("/graphql", json=request_)
        assert response.json()["errors"][0]["extensions"]["code"] == code
    assert grew("reviews_requests_total") == {(operation, "refused"): 1}
    assert grew("reviews_refusals_total") == {(code,): 1}


def test_a_media_type_that_is_not_offered_and_a_mutation_by_get_are_refusals(own: Gateway) -> None:
    with counting(own) as grew:
        assert own.http.get("/graphql", params={"query": "{a}"}, headers={"Accept": "image/png"}).status_code == 406
        text = "mutation { reportReview(input: {reviewId: 1}) { deletedReviewId } }"
        assert own.http.get("/graphql", params={"query": text}).status_code == 405
    assert grew("reviews_requests_total") == {("other", "refused"): 1, ("ad hoc", "refused"): 1}
    assert grew("reviews_refusals_total") == {("BAD_REQUEST",): 2}


def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/none"), state=tmp_path)
    with running_gateway(away) as lonely, counting(lonely) as grew:
        assert persisted(lonely, PAGE, id="2").status_code == 503
    # It came to no operation.
    assert grew("reviews_requests_total") == {("other", "unavailable"): 1}
    assert grew("reviews_refusals_total") == {("SERVICE_UNAVAILABLE",): 1}


def test_what_nobody_expected_is_failed_and_no_refusal(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    run(url, "ALTER TABLE documents RENAME TO papers")
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)) as broken, counting(broken) as grew:
        assert persisted(broken, "{ broken: __typename }").status_code == 500
    assert grew("reviews_requests_total") == {("other", "failed"): 1}
    assert grew("reviews_refusals_total") == {}


def test_a_document_is_registered_then_known_and_found_by_another_process(own: Gateway, watched: Watched) -> None:
    text = "query Figures { product(id: 1) { name } }"
    with counting(own) as grew:
        assert persisted(own, text).json()["errors"][0]["message"] == "PersistedQueryNotFound"
        assert "errors" not in registered(own, text)
        assert "errors" not in persisted(own, text).json()
    assert grew("reviews_documents_total") == {("missed",): 1, ("registered",): 1, ("known",): 1}
    assert grew("reviews_requests_total") == {("other", "refused"): 1, ("Figures", "ok"): 2}
    with watched() as other, counting(other) as grew:
        assert "errors" not in persisted(other, text).json()
        assert "errors" not in persisted(other, text).json()
    assert grew("reviews_documents_total") == {("found",): 1, ("known",): 1}
    assert grew("reviews_requests_total") == {("Figures", "ok"): 2}


def test_what_ran_an_operation_is_counted_with_the_reason(own: Gateway, shop: Shop) -> None:
    product = shop.product()
    review = shop.review(product)
    with counting(own) as grew:
        own.data("{ product(id: 1) { name } }")
        own.data("{ __schema { queryType { name } } }")
        one = f"reportReview(input: {{reviewId: {review}}}) {{ deletedReviewId }}"
        own.data(f"mutation {{ {one} }}")
        own.data(f"mutation {{ one: {one} other: {one} }}")
    assert grew("reviews_executions_total") == {("plan",): 2, ("introspection",): 1, ("several mutations",): 1}


def test_without_plans_the_reason_is_the_setting_and_batches_are_those_of_requests(watched: Watched) -> None:
    with watched(execution="reference") as slow, counting(slow) as grew:
        assert "errors" not in persisted(slow, CARDS, ids=["1", "2", "3"]).json()
    assert grew("reviews_executions_total") == {("reference",): 1}
    assert grew("reviews_batch_keys_sum") == {
        ("CharacteristicsByProduct",): 3,
        ("FiguresByProduct",): 3,
        ("ProductsById",): 3,
    }
    assert grew("reviews_statement_seconds_count") == {
        ("CharacteristicsByProduct",): 1,
        ("FiguresByProduct",): 1,
        ("ProductsById",): 1,
    }


def test_each_batch_counts_its_keys_its_wait_and_its_statement(own: Gateway) -> None:
    with counting(own) as grew:
        assert "errors" not in persisted(own, CARDS, ids=["1", "2", "3"]).json()
        assert "errors" not in persisted(own, CARDS, ids=["1", "2"]).json()
    assert grew("reviews_batch_keys_sum") == {("ProductsById",): 5}
    assert grew("reviews_batch_keys_bucket")["2.0", "ProductsById"] == 1
    assert grew("reviews_batch_keys_bucket")["4.0", "ProductsById"] == 2
    for name in ("reviews_batch_keys_count", "reviews_batch_wait_seconds_count", "reviews_statement_seconds_count"):
        assert grew(name) == {("ProductsById",): 2}
    statements, seconds = grew("reviews_statement_seconds_sum"), grew("reviews_request_seconds_sum")
    assert 0 < statements["ProductsById",] < seconds["ProductCards",]


def test_tags_are_counted_as_they_are_sent(own: Gateway) -> None:
    with counting(own) as grew:
        sent = persisted(own, CARDS, ids=["1", "2"]).headers["cache-tag"].split()
        assert "cache-tag" not in own.http.post("/graphql", json={"query": "{ product(id: 1) { name } }"}).headers
    assert sent == ["product:1", "product:2"]
    assert grew("reviews_tags_total") == {(): 2}


def test_changes_are_counted_when_they_were_told(own: Gateway) -> None:
    async def told() -> str:
        async with (
            httpx.AsyncClient(timeout=5) as client,
            client.stream("GET", f"{own.url}/internal/changes") as answer,
        ):
            lines = answer.aiter_lines()
            assert (await anext(lines)).startswith("reset ")
            connection = await asyncpg.connect(own.database)
            await connection.execute("SELECT record_change(ARRAY['product:77', 'product:78'], 0)")
            await connection.close()
            line = await anext(lines)
            while not line.startswith("change "):
                line = await anext(lines)
            # The next sign of life is sent after the change was.
            while not (await anext(lines)).startswith("at "):
                pass
            await anext(lines)
        return line

    with counting(own) as grew:
        assert asyncio.run(told()).split()[2:] == ["product:77", "product:78"]
    assert grew("reviews_changes_total") == {(): 1}
    assert grew("reviews_changes_lag_seconds_count") == {(): 1}
    assert 0 < grew("reviews_changes_lag_seconds_sum")[()] < 1


async def held_up(gateway: Gateway, tables: str, texts: list[str]) -> Figures:
    """What is told while a statement of ``texts`` waits for ``tables``, which are locked; all are answered then."""
    holder = await asyncpg.connect(gateway.database)
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
        await holder.execute(f"BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        asking = [asyncio.create_task(client.post("/graphql", json={"query": text})) for text in texts]
        await waiting_for_lock(gateway.database)
        await asyncio.sleep(0.2)
        busy = scraped(gateway.http)
        await holder.execute("COMMIT")
        for task in asking:
            assert "errors" not in (await task).json()
    await holder.close()
    return busy


def test_connections_are_counted_by_what_they_do_and_who_waits(watched: Watched) -> None:
    fields = ("catalog { totalCount }", "categories { name }", "catalog(first: 1) { nodes { name } }")
    # Two are left for others than the shared loaders, which keep none then.
    with watched(read_connections=1) as one:
        idle = scraped(one.http)
        # Its one connection is in a statement that waits for a lock, and two wait for the connection.
        busy = asyncio.run(held_up(one, "products, category_figures", [f"{{ {field} }}" for field in fields]))
        after = scraped(one.http)
    assert [figures["reviews_pool_connections", "read", "in_use"] for figures in (idle, busy, after)] == [0, 1, 0]
    assert [figures["reviews_pool_connections", "read", "idle"] for figures in (idle, busy, after)] == [1, 0, 1]
    assert [figures["reviews_pool_waiting", "read"] for figures in (idle, busy, after)] == [0, 2, 0]
    assert busy["reviews_pool_connections", "write", "in_use"] == 0


def test_connections_that_loaders_keep_between_batches_are_idle(own: Gateway) -> None:
    own.data("{ product(id: 1) { name } }")
    figures = scraped(own.http)
    assert figures["reviews_pool_connections", "read", "in_use"] == 0
    assert figures["reviews_pool_connections", "read", "idle"] >= 1


def test_a_mutation_that_waits_uses_a_connection_for_writes(watched: Watched, shop: Shop) -> None:
    review = shop.review(shop.product())
    text = f"mutation {{ reportReview(input: {{reviewId: {review}}}) {{ deletedReviewId }} }}"
    with watched(write_connections=1) as one:
        busy = asyncio.run(held_up(one, "reviews", [text] * 2))
    assert busy["reviews_pool_connections", "write", "in_use"] == 1
    assert busy["reviews_pool_waiting", "write"] == 1


def test_a_scraper_may_ask_for_openmetrics(own: Gateway) -> None:
    plain = own.http.get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    open_ = own.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert open_.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert open_.text.endswith("# EOF\n")


def test_switched_off_there_is_nothing_to_scrape(watched: Watched) -> None:
    with watched(metrics=False) as quiet:
        assert "errors" not in persisted(quiet, PAGE, id="2").json()
        assert quiet.http.get("/metrics").status_code == 404
