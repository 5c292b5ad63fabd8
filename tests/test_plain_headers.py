"""What answers tell a browser about themselves."""

from __future__ import annotations

import pytest

from tests.harness.gateway import Gateway

STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/metrics", "/", "/nothing", "/graphiql/nothing", "/internal/changes"]
)
def test_every_answer_beside_graphqls_is_no_page(gateway: Gateway, path: str) -> None:
    with gateway.http.stream("GET", path) as answer:
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT


def test_graphiql_is_in_no_frame_and_has_its_own_policy(gateway: Gateway) -> None:
    headers = gateway.http.get("/graphql", headers={"Accept": "text/html"}).headers
    assert (headers["x-frame-options"], headers["x-content-type-options"], headers["referrer-policy"]) == (
        "DENY",
        "nosniff",
        "no-referrer",
    )
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" in headers["content-security-policy"]


def test_graphqls_answers_are_what_they_say_they_are(gateway: Gateway) -> None:
    for answer in (
        gateway.http.post("/graphql", json={"query": "{ product(id: 1) { name } }"}),
        gateway.http.post("/graphql", content=b"{"),
        gateway.http.get("/graphql?query=%7B"),
    ):
        assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == (
            "nosniff",
            "no-referrer",
        )
