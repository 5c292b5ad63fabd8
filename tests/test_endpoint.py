"""The endpoint over HTTP: status codes, media types, error codes, and what never goes out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from graphql_api.settings import Secret, Settings
from graphql_api.telemetry import MaskingFormatter
from tests.harness.databases import Databases, run
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import Shop
from tests.mutations.test_add_review import ADD, wanted

GRAPHQL = "application/graphql-response+json"


def post(gateway: Gateway, accept: str = "application/json", **body: Any) -> tuple[int, str, dict[str, Any]]:
    """Status, media type and body."""
    response = gateway.http.post("/graphql", json=body, headers={"Accept": accept})
    return response.status_code, response.headers["content-type"], response.json()


def codes(body: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body["errors"]]


@pytest.fixture(scope="module")
def own_gateway(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over an empty catalogue that a test may break, with everything for the public switched off."""
    settings = Settings(
        database_url=Secret(databases.migrated()),
        state=tmp_path_factory.mktemp("own"),
        graphiql=False,
        introspection=False,
        max_body_bytes=20_000,
        statement_timeout_ms=300,
    )
    with running_gateway(settings) as running:
        yield running


@pytest.mark.parametrize(
    ("request_body", "code", "graphql_status"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED", 400),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED", 400),
        ({"query": "query A { __typename } query B { __typename }"}, "OPERATION_RESOLUTION_FAILURE", 400),
        ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE", 400),
        ({"query": "fragment F on Query { __typename }"}, "GRAPHQL_VALIDATION_FAILED", 400),
        ({"query": "query ($id: ID!) { product(id: $id) { name } }"}, "BAD_USER_INPUT", 400),
    ],
)
def test_what_is_not_run_has_no_data_and_a_status_by_the_media_type(
    gateway: Gateway, request_body: dict[str, Any], code: str, graphql_status: int
) -> None:
    status, media, body = post(gateway, GRAPHQL, **request_body)
    assert (status, media, "data" in body, codes(body)) == (graphql_status, f"{GRAPHQL}; charset=utf-8", False, [code])
    status, media, body = post(gateway, **request_body)
    assert (status, media, codes(body)) == (200, "application/json; charset=utf-8", [code])


def test_an_error_of_a_field_comes_with_its_data_path_and_status_200(gateway: Gateway) -> None:
    status, _, body = post(
        gateway, GRAPHQL, query="{ a: product(id: 1) { name } product(id: 1) { reviews(first: 0) { totalCount } } }"
    )
    assert (status, body["data"]) == (200, {"a": {"name": "Camo Onesie"}, "product": None})
    (error,) = body["errors"]
    assert (error["path"], error["extensions"]) == (["product", "reviews"], {"code": "BAD_USER_INPUT"})


def test_a_query_may_come_by_get_and_a_mutation_may_not(gateway: Gateway) -> None:
    good = gateway.http.get("/graphql", params={"query": "{ product(id: 1) { name } }"})
    assert (good.status_code, good.json()) == (200, {"data": {"product": {"name": "Camo Onesie"}}})
    bad = gateway.http.get(
        "/graphql", params={"query": "mutation { reportReview(input: {reviewId: 1}) { deletedReviewId } }"}
    )
    assert (bad.status_code, bad.headers["allow"], codes(bad.json())) == (405, "POST", ["BAD_REQUEST"])


@pytest.mark.parametrize(
    ("method", "headers", "content", "status"),
    [
        ("DELETE", {}, b"", 405),
        ("PUT", {"Content-Type": "application/json"}, b"{}", 405),
        ("POST", {"Content-Type": "text/plain"}, b"{}", 415),
        ("POST", {"Content-Type": "application/json"}, b"{", 400),
        ("POST", {"Content-Type": "application/json", "Accept": "image/png"}, b"{}", 406),
        ("POST", {"Content-Type": "application/json"}, b" " * 262_145, 413),
        ("GET", {"Accept": "application/json"}, b"", 400),
    ],
)
def test_http_refusals_are_json_with_a_code(
    gateway: Gateway, method: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    response = gateway.http.request(method, "/graphql", headers=headers, content=content)
    assert (response.status_code, codes(response.json())) == (status, ["BAD_REQUEST"])


def test_a_body_without_a_length_is_refused_while_it_comes(gateway: Gateway) -> None:
    response = gateway.http.post(
        "/graphql", content=(b" " * 10_000 for _ in range(100)), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


def test_an_answer_is_not_kept_by_caches_and_carries_the_clients_request_id(gateway: Gateway) -> None:
    response = gateway.http.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"X-Request-Id": "client-chose-1"}
    )
    sent = {name: response.headers[name] for name in ("cache-control", "vary", "x-request-id")}
    assert sent == {"cache-control": "no-store", "vary": "Accept", "x-request-id": "client-chose-1"}
    other = gateway.http.post("/graphql", json={"query": "{ __typename }"}, headers={"X-Request-Id": "x y"})
    assert len(other.headers["x-request-id"]) == 32


def test_a_browser_gets_the_page_and_everyone_else_does_not(gateway: Gateway, own_gateway: Gateway) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = gateway.http.get("/graphql", headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Reviews gateway" in page.text
    assert gateway.http.get("/graphql").status_code == 400
    assert own_gateway.http.get("/graphql", headers=browser).status_code == 400
    assert gateway.http.get("/", headers=browser).headers["location"] == "/graphql"


def test_introspection_and_suggestions_can_be_switched_off(gateway: Gateway, own_gateway: Gateway) -> None:
    query = "{ __schema { queryType { name } } }"
    assert gateway.data(query) == {"__schema": {"queryType": {"name": "Query"}}}
    assert set(codes(own_gateway.send(query))) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Did you mean" in gateway.refusal("{ produkt { name } }")[1]
    assert "Did you mean" not in own_gateway.refusal("{ produkt { name } }")[1]


def test_no_type_has_a_field_for_the_reviewers_email(gateway: Gateway) -> None:
    types = gateway.data("{ __schema { types { name kind fields { name } } } }")["__schema"]["types"]
    names = [field["name"] for type_ in types for field in type_["fields"] or []]
    assert [name for name in names if "mail" in name.lower()] == []


def test_an_unexpected_error_is_masked_and_the_log_has_no_email(
    own_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    product = Shop(own_gateway.database).product()
    run(own_gateway.database, "ALTER TABLE reviews ADD CONSTRAINT no_boom CHECK (summary <> 'boom')")
    with caplog.at_level(logging.ERROR, logger="reviews"):
        body = own_gateway.send(ADD, input=wanted(product, summary="boom", reviewerEmail="secret.name@example.com"))
    (error,) = body["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Internal server error", "INTERNAL_SERVER_ERROR")
    (record,) = caplog.records
    line = MaskingFormatter("%(message)s").format(record)
    assert error["extensions"]["requestId"] in line
    assert "no_boom" in line  # PostgreSQL's own words, which quote the row, are in the log
    assert "secret.name" not in line
    assert "secret.name" not in str(body)


def test_a_statement_that_takes_too_long_is_ended_and_says_timeout(own_gateway: Gateway) -> None:
    slow = """
        CREATE OR REPLACE FUNCTION search_query(search text) RETURNS tsquery LANGUAGE sql IMMUTABLE
        BEGIN ATOMIC SELECT 'x'::tsquery FROM pg_sleep(2); END
    """
    run(own_gateway.database, slow)
    body = own_gateway.send('{ catalog(search: "slow") { totalCount } }')
    assert (codes(body), body["data"]) == (["TIMEOUT"], None)


def test_liveness_and_readiness_are_told(gateway: Gateway, databases: Databases, tmp_path: Any) -> None:
    assert gateway.http.get("/livez").status_code == 200
    assert gateway.http.get("/readyz").json() == {"status": "ready"}
    with running_gateway(Settings(database_url=Secret(databases.empty()), state=tmp_path)) as unready:
        assert unready.http.get("/livez").status_code == 200
        answer = unready.http.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "alembic upgrade head" in answer.json()["reason"]


def test_a_gateway_whose_database_is_away_starts_and_says_so(tmp_path: Any) -> None:
    away = Secret("postgresql://nobody:hidden@127.0.0.1:1/none")
    with running_gateway(Settings(database_url=away, state=tmp_path)) as unready:
        answer = unready.http.get("/readyz")
        assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")
        body = unready.send("{ product(id: 1) { name } }")
        assert codes(body) == ["SERVICE_UNAVAILABLE"]
        assert "hidden" not in str(body)


def test_a_document_too_long_to_be_kept_is_answered_all_the_same(gateway: Gateway) -> None:
    query = "{ product(id: 1) { name } }" + " " * 10_001
    assert [gateway.data(query) for _ in range(2)] == [{"product": {"name": "Camo Onesie"}}] * 2


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($x: Int = 1) { product(id: 2) { reviews(filter: {ratings: [$x]}) { totalCount } } }", {"x": None}),
        ("query ($x: [ID!]! = []) { products(ids: $x) { name } }", {"x": None}),
    ],
)
def test_a_null_where_none_may_be_is_the_clients_mistake(
    gateway: Gateway, query: str, variables: dict[str, Any]
) -> None:
    assert gateway.refusal(query, **variables)[0] == "BAD_USER_INPUT"


def test_accept_may_come_in_several_lines(gateway: Gateway) -> None:
    headers = [("Accept", "image/png"), ("Accept", "application/json"), ("Content-Type", "application/json")]
    response = gateway.http.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


def test_a_parameter_whose_name_ends_in_query_does_not_hide_the_page(gateway: Gateway) -> None:
    page = gateway.http.get("/graphql?subquery=1", headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_a_slash_too_many_is_not_found_and_not_a_redirect(gateway: Gateway) -> None:
    assert gateway.http.get("/graphql/").status_code == 404


def test_an_address_with_the_parameters_of_libpq_works_for_reads_and_writes(
    gateway: Gateway, shop: Shop, tmp_path: Any
) -> None:
    review = shop.review(shop.product())
    sign = "&" if "?" in gateway.database else "?"
    url = Secret(f"{gateway.database}{sign}sslmode=prefer")
    with running_gateway(Settings(database_url=url, state=tmp_path)) as other:
        assert other.http.get("/readyz").status_code == 200
        vote = "mutation ($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } } }"
        assert other.data(vote, id=review)["markReviewHelpful"] == {"review": {"helpfulness": 1}}


def test_a_full_count_of_votes_stays_full(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product(), helpfulness=2**31 - 1)
    vote = "mutation ($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } } }"
    assert gateway.data(vote, id=review)["markReviewHelpful"]["review"] == {"helpfulness": 2**31 - 1}
