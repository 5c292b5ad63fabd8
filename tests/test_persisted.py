"""Persisted operations over HTTP: four ways to name one, what a miss says, what caches are told."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

import graphql_api.documents
from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases, run
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import Shop

PAGE = (Path(graphql_api.documents.__file__).parent / "ProductPage.graphql").read_text()
NOT_FOUND = {"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]}
KEPT = "public, max-age=0, must-revalidate"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def automatic(hash_: str, **others: Any) -> dict[str, str]:
    """The parameters of a GET with Apollo's extension."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
    return {name: orjson.dumps(value).decode() for name, value in {"extensions": extensions, **others}.items()}


def register(gateway: Gateway, text: str) -> httpx.Response:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}
    return gateway.http.post("/graphql", json={"query": text, "extensions": extensions})


@pytest.fixture(scope="module")
def other(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A second replica on the same database."""
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path_factory.mktemp("other"))
    with running_gateway(settings) as running:
        yield running


@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway, variables: gateway.http.get("/graphql", params=automatic(sha256(PAGE), variables=variables)),
        lambda gateway, variables: gateway.http.get(
            "/graphql",
            params={"documentId": f"sha256:{sha256(PAGE)}", "variables": orjson.dumps(variables).decode()},
        ),
        lambda gateway, variables: gateway.http.get(
            "/graphql", params={"doc_id": sha256(PAGE), "variables": orjson.dumps(variables).decode()}
        ),
        lambda gateway, variables: gateway.http.get(
            f"/graphql/p/{sha256(PAGE)}/ProductPage", params={"variables": orjson.dumps(variables).decode()}
        ),
        lambda gateway, variables: gateway.http.get(
            f"/graphql/p/{sha256(PAGE)}", params={"variables": orjson.dumps(variables).decode()}
        ),
        lambda gateway, variables: gateway.http.post("/graphql", json={"id": sha256(PAGE), "variables": variables}),
        lambda gateway, variables: gateway.http.post(
            "/graphql", json={"documentId": sha256(PAGE), "variables": variables}
        ),
        lambda gateway, variables: gateway.http.request(
            "QUERY", "/graphql", json={"documentId": f"sha256:{sha256(PAGE)}", "variables": variables}
        ),
    ],
)
def test_every_dialect_gets_what_the_text_gets(gateway: Gateway, ask: Any) -> None:
    assert ask(gateway, {"id": "2"}).json()["data"] == gateway.data(PAGE, id="2")


def test_an_unknown_hash_is_missed_without_a_trace(gateway: Gateway) -> None:
    response = gateway.http.get("/graphql", params=automatic("0" * 64))
    assert (response.status_code, response.json(), response.headers["cache-control"]) == (200, NOT_FOUND, "no-store")
    assert "etag" not in response.headers


def test_what_one_replica_registers_the_next_knows(gateway: Gateway, other: Gateway) -> None:
    text = "query Shared { product(id: 1) { name } }"
    params = automatic(sha256(text))
    assert gateway.http.get("/graphql", params=params).json() == NOT_FOUND
    assert register(gateway, text).json() == {"data": {"product": {"name": "Camo Onesie"}}}
    assert other.http.get("/graphql", params=params).json() == {"data": {"product": {"name": "Camo Onesie"}}}


def test_a_store_that_was_wiped_is_filled_again_though_a_replica_remembers(gateway: Gateway, other: Gateway) -> None:
    text = "query Wiped { product(id: 1) { slogan } }"
    other_text = text.replace("Wiped", "Later")
    assert "data" in register(gateway, text).json()
    run(gateway.database, "DELETE FROM documents")
    assert other.http.get("/graphql", params=automatic(sha256(text))).json() == NOT_FOUND
    assert "data" in register(other, text).json()
    run(gateway.database, "DELETE FROM documents")
    assert "data" in register(gateway, other_text).json()
    assert "data" in gateway.http.get("/graphql", params=automatic(sha256(text))).json()


def test_a_kept_answer_has_a_tag_and_is_not_sent_twice(gateway: Gateway) -> None:
    params = automatic(sha256(PAGE), variables={"id": "2"})
    first = gateway.http.get("/graphql", params=params)
    assert first.headers["cache-control"] == KEPT
    etag = first.headers["etag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = gateway.http.get("/graphql", params=params, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = gateway.http.get("/graphql", params=params, headers={"If-None-Match": '"other"'})
    assert (changed.status_code, changed.content) == (200, first.content)
    head = gateway.http.head("/graphql", params=params)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)


def test_a_write_changes_the_tag(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    review = shop.review(product)
    params = automatic(sha256(PAGE), variables={"id": str(product.number)})
    before = gateway.http.get("/graphql", params=params).headers["etag"]
    vote = "mutation ($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } } }"
    gateway.data(vote, id=review)
    after = gateway.http.get("/graphql", params=params, headers={"If-None-Match": before})
    assert (after.status_code, after.headers["etag"] == before) == (200, False)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("query Bad($first: Int) { product(id: 1) { reviews(first: $first) { totalCount } } }", {"first": 0}),
        ("query Wrong($id: ID!) { product(id: $id) { name } }", {}),
    ],
)
def test_an_answer_with_errors_is_not_kept(gateway: Gateway, text: str, variables: dict[str, Any]) -> None:
    register(gateway, text)
    response = gateway.http.get("/graphql", params=automatic(sha256(text), variables=variables))
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert (response.headers["cache-control"], "etag" in response.headers) == ("no-store", False)


def test_a_document_that_came_as_text_is_not_kept(gateway: Gateway) -> None:
    response = gateway.http.get("/graphql", params={"query": "{ product(id: 1) { name } }"})
    assert response.headers["cache-control"] == "no-store"


def test_a_mutation_is_registered_and_run_by_hash_with_post_alone(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    text = "mutation Vote($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } } }"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}
    body = {"extensions": extensions, "variables": {"id": review}}
    assert gateway.http.post("/graphql", json=body).json() == NOT_FOUND
    assert "data" in gateway.http.post("/graphql", json={**body, "query": text}).json()
    voted = gateway.http.post("/graphql", json=body)
    assert voted.json()["data"]["markReviewHelpful"]["review"]["helpfulness"] == 2
    assert voted.headers["cache-control"] == "no-store"
    for method, options in (
        ("GET", {"params": automatic(sha256(text), variables={"id": str(review)})}),
        ("QUERY", {"json": body}),
    ):
        refused = gateway.http.request(method, "/graphql", **options)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("extensions", "message"),
    [
        ({"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}, "Unsupported persisted query version"),
        ({"persistedQuery": {"sha256Hash": "0" * 64}}, "Unsupported persisted query version"),
        ({"persistedQuery": {"version": True, "sha256Hash": "0" * 64}}, "Unsupported persisted query version"),
        ({"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}, "provided sha does not match query"),
        ({"persistedQuery": 1}, "`extensions.persistedQuery` must be an object."),
    ],
)
def test_a_wrong_extension_is_refused(gateway: Gateway, extensions: dict[str, Any], message: str) -> None:
    response = gateway.http.post("/graphql", json={"query": "{ __typename }", "extensions": extensions})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, message)


def test_a_text_that_does_not_validate_is_not_registered(gateway: Gateway) -> None:
    text = "query Never { nothing }"
    assert register(gateway, text).json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert gateway.http.get("/graphql", params=automatic(sha256(text))).json() == NOT_FOUND


def test_the_operations_own_url_is_asked_with_get(gateway: Gateway) -> None:
    refused = gateway.http.post(f"/graphql/p/{sha256(PAGE)}/ProductPage", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    unknown = gateway.http.get(f"/graphql/p/{sha256(PAGE)}/Another", params={"variables": '{"id":"1"}'})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


def test_a_url_that_is_too_long_is_refused(gateway: Gateway) -> None:
    response = gateway.http.get("/graphql", params={"query": "{ __typename }" + " " * 9000})
    assert response.status_code == 414


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        (f"/graphql/p/{sha256(PAGE)}", {"documentId": "0" * 64}),
        (f"/graphql/p/{sha256(PAGE)}", {"id": "0" * 64}),
        (f"/graphql/p/{sha256(PAGE)}", automatic("0" * 64)),
        (f"/graphql/p/{sha256(PAGE)}/ProductPage", {"operationName": "ProductPage"}),
        ("/graphql", {"documentId": sha256(PAGE), "doc_id": "0" * 64}),
        ("/graphql", {"documentId": [sha256(PAGE), sha256(PAGE)]}),
        ("/graphql", {"documentId": sha256(PAGE), "variables": ["{}", "{}"]}),
    ],
)
def test_a_request_that_says_two_things_is_refused(gateway: Gateway, path: str, parameters: dict[str, Any]) -> None:
    response = gateway.http.get(path, params={"variables": '{"id":"1"}', **parameters})
    assert (response.status_code, response.headers["cache-control"]) == (400, "no-store")


def test_the_same_answer_under_another_media_type_has_another_tag(gateway: Gateway) -> None:
    params = automatic(sha256(PAGE), variables={"id": "2"})
    json, graphql = (
        gateway.http.get("/graphql", params=params, headers={"Accept": media_type})
        for media_type in ("application/json", "application/graphql-response+json")
    )
    assert json.content == graphql.content
    assert json.headers["etag"] != graphql.headers["etag"]


def test_an_answer_to_a_hash_with_its_text_is_not_kept(gateway: Gateway) -> None:
    params = {**automatic(sha256(PAGE), variables={"id": "2"}), "query": PAGE}
    response = gateway.http.get("/graphql", params=params)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("hash_", ["abc", "0" * 63, sha256("{ __typename }").upper()])
def test_what_is_no_hash_does_not_match_a_text(gateway: Gateway, hash_: str) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
    response = gateway.http.post("/graphql", json={"query": "{ __typename }", "extensions": extensions})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, "provided sha does not match query")


def test_a_text_that_the_table_does_not_take_runs_all_the_same(gateway: Gateway, other: Gateway) -> None:
    text = "{ __typename } # \0"
    assert register(gateway, text).json() == {"data": {"__typename": "Query"}}
    assert other.http.post("/graphql", json={"id": sha256(text)}).json() == NOT_FOUND


def test_a_text_that_is_too_long_is_refused_and_not_stored(gateway: Gateway, other: Gateway) -> None:
    text = "{ __typename }" + " " * 32_768
    (error,) = register(gateway, text).json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == (
        "The document has more than 32768 bytes: send it in parts.",
        "GRAPHQL_PARSE_FAILED",
    )
    assert other.http.post("/graphql", json={"id": sha256(text)}).json() == NOT_FOUND


def test_a_path_without_a_document_is_not_found(gateway: Gateway) -> None:
    assert gateway.http.get("/graphql/p/").status_code == 404


# --- A table that fails


@pytest.fixture
def tableless(databases: Databases, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose table of documents is lost."""
    url = databases.migrated()
    run(url, "DROP TABLE documents")
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)) as running:
        yield running


def test_a_document_that_cannot_be_stored_is_answered_all_the_same(tableless: Gateway) -> None:
    assert register(tableless, "query Unstored { __typename }").json() == {"data": {"__typename": "Query"}}


def test_a_trusted_document_needs_no_table(tableless: Gateway) -> None:
    assert tableless.http.get("/graphql", params=automatic(sha256(PAGE), variables={"id": "2"})).json() == {
        "data": {"product": None}
    }


# --- Modes and files


@pytest.fixture(scope="module")
def trusting(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs documents of files only, with a map of Relay's."""
    state = tmp_path_factory.mktemp("trusting")
    manifest = state / "relay.json"
    manifest.write_bytes(orjson.dumps({"d41d8cd98f00b204e9800998ecf8427e": "query Own { product(id: 1) { name } }"}))
    settings = Settings(
        database_url=Secret(gateway.database), state=state, documents="trusted", manifests=str(manifest)
    )
    with running_gateway(settings) as running:
        yield running


def test_an_id_of_a_manifest_is_known(trusting: Gateway) -> None:
    asked = trusting.http.post("/graphql", json={"doc_id": "d41d8cd98f00b204e9800998ecf8427e"})
    assert asked.json() == {"data": {"product": {"name": "Camo Onesie"}}}


def test_nothing_else_runs_where_only_files_are_trusted(trusting: Gateway) -> None:
    own = "query Own { product(id: 1) { name } }"
    assert "data" in trusting.send(own)
    for response in (register(trusting, "{ __typename }"), trusting.http.post("/graphql", json={"query": "{ nope }"})):
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert trusting.http.get("/graphql", params=automatic(sha256("{ __typename }"))).json() == NOT_FOUND


def test_where_nothing_is_stored_clients_are_told_so(gateway: Gateway, tmp_path: Path) -> None:
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path, documents="any")
    with running_gateway(settings) as any_:
        error = any_.http.get("/graphql", params=automatic("0" * 64)).json()["errors"][0]
        assert (error["message"], error["extensions"]["code"]) == (
            "PersistedQueryNotSupported",
            "PERSISTED_QUERY_NOT_SUPPORTED",
        )
        assert "data" in any_.http.get("/graphql", params=automatic(sha256(PAGE), variables={"id": "2"})).json()


def test_a_store_that_is_away_is_a_passing_fault(tmp_path: Path) -> None:
    away = Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/none"), state=tmp_path)
    with running_gateway(away) as lonely:
        unknown = lonely.http.get("/graphql", params=automatic("0" * 64))
        assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "1")
        assert unknown.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        trusted = lonely.http.get("/graphql", params=automatic(sha256(PAGE), variables={"id": "2"}))
        assert (trusted.status_code, trusted.headers["retry-after"]) == (503, "1")
        assert trusted.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        assert trusted.headers["cache-control"] == "no-store"


def test_what_nobody_expected_is_masked_and_told_by_the_request_id(
    databases: Databases, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = databases.migrated()
    run(url, "ALTER TABLE documents RENAME TO papers")
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)) as broken:
        with caplog.at_level(logging.ERROR, logger="reviews"):
            response = broken.http.get("/graphql", params=automatic("0" * 64))
        error = response.json()["errors"][0]
        assert (response.status_code, error["message"]) == (500, "Internal server error")
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
        assert response.headers["x-request-id"] in caplog.text
        assert "papers" not in response.text
