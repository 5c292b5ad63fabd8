"""Pages of other origins: preflights, the list, and caches between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphql_api.documents.hashes import hash_of
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.edge import Fronted, running_edge
from tests.harness.gateway import Gateway, running_gateway

SHOP, OTHER = "https://shop.example", "https://other.example"
PAGE = f"/graphql/p/{hash_of(DOCUMENTS['ProductCards'])}/ProductCards?variables=%7B%22ids%22:%5B1%5D%7D"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture(scope="module")
def listed(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = Settings(
        database_url=Secret(gateway.database), state=tmp_path_factory.mktemp("listed"), cors_origins=(SHOP,)
    )
    with running_gateway(settings) as running:
        yield running


@pytest.fixture(scope="module")
def fronted(nginx: str, listed: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    assert nginx
    with running_edge(listed, tmp_path_factory.mktemp("edge"), EDGE_CORS_ORIGINS=SHOP) as running:
        yield running


def test_without_a_list_no_origin_is_named_and_no_preflight_answered(gateway: Gateway) -> None:
    asked = gateway.http.get(PAGE, headers={"Origin": SHOP})
    preflight = gateway.http.options("/graphql", headers={"Origin": SHOP, **PREFLIGHT})
    assert (asked.status_code, preflight.status_code) == (200, 405)
    for answer in (asked, preflight):
        assert [name for name in answer.headers if name.startswith("access-control")] == []
        assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("origin", [None, OTHER, "null", f"{SHOP}.evil.example", "https://SHOP.example"])
def test_only_what_is_on_the_list_is_named_and_vary_says_so_of_all(listed: Gateway, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    named = listed.http.get(PAGE, headers={"Origin": SHOP}).headers
    other = listed.http.get(PAGE, headers=headers).headers
    assert named["access-control-allow-origin"] == SHOP
    assert named["access-control-expose-headers"] == "ETag, Retry-After, X-Request-Id"
    assert "access-control-allow-origin" not in other
    assert named["vary"] == other["vary"] == "Accept, Origin"
    assert "access-control-allow-credentials" not in named


def test_a_preflight_of_a_listed_page_is_granted_and_another_refused(listed: Gateway) -> None:
    granted = listed.http.options("/graphql", headers={"Origin": SHOP, **PREFLIGHT})
    refused = listed.http.options("/graphql", headers={"Origin": OTHER, **PREFLIGHT})
    assert (granted.status_code, refused.status_code) == (204, 403)
    assert granted.headers["access-control-allow-methods"] == "GET, HEAD, POST, QUERY"
    assert "Idempotency-Key" in granted.headers["access-control-allow-headers"]
    assert granted.headers["access-control-max-age"] == "600"
    assert [name for name in refused.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("path", ["/metrics", "/internal/changes", "/readyz", "/livez"])
def test_nothing_but_graphql_is_for_other_origins(listed: Gateway, path: str) -> None:
    with listed.http.stream("GET", path, headers={"Origin": SHOP}) as answer:
        assert "access-control-allow-origin" not in answer.headers


def test_a_refusal_can_be_read_by_a_listed_page(listed: Gateway) -> None:
    refused = listed.http.post("/graphql", content=b"{", headers={"Origin": SHOP, "Content-Type": "application/json"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, SHOP)


def test_a_star_names_any_origin_and_answers_do_not_vary(gateway: Gateway, tmp_path: Path) -> None:
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path, cors_origins=("*",))
    with running_gateway(settings) as running:
        answer = running.http.get(PAGE, headers={"Origin": OTHER})
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == ("*", "Accept")


def test_the_edge_names_who_asks_whoever_asked_when_it_was_kept(fronted: Fronted) -> None:
    states = []
    for origin in (SHOP, OTHER, None, SHOP, OTHER):
        answer = fronted.http.get(PAGE, headers={} if origin is None else {"Origin": origin})
        states.append(answer.headers["x-cache"])
        named = answer.headers.get_list("access-control-allow-origin")
        assert named == ([SHOP] if origin == SHOP else [])
        assert "Origin" in answer.headers["vary"].split(", ")
        assert "Accept-Encoding" in answer.headers["vary"].split(", ")
        etag = answer.headers["etag"]
    assert states == ["MISS", "HIT", "HIT", "HIT", "HIT"]
    same = fronted.http.get(PAGE, headers={"Origin": SHOP, "If-None-Match": etag})
    assert (same.status_code, same.headers.get_list("access-control-allow-origin")) == (304, [SHOP])


def test_through_the_edge_preflights_and_posts_are_as_at_the_gateway(fronted: Fronted) -> None:
    granted = fronted.http.options("/graphql", headers={"Origin": SHOP, **PREFLIGHT})
    refused = fronted.http.options("/graphql", headers={"Origin": OTHER, **PREFLIGHT})
    assert (granted.status_code, granted.headers.get_list("access-control-allow-origin")) == (204, [SHOP])
    assert granted.headers["access-control-allow-methods"] == "GET, HEAD, POST, QUERY"
    assert (refused.status_code, refused.headers.get_list("access-control-allow-origin")) == (403, [])
    sent = {"query": "{ product(id: 1) { name } }"}
    answer = fronted.http.post("/graphql", json=sent, headers={"Origin": SHOP})
    assert answer.headers.get_list("access-control-allow-origin") == [SHOP]
    assert answer.headers.get_list("access-control-expose-headers") == ["ETag, Retry-After, X-Request-Id"]
    large = fronted.http.post("/graphql", content=b" " * 300_000, headers={"Origin": SHOP})
    assert (large.status_code, large.headers.get_list("access-control-allow-origin")) == (413, [SHOP])
