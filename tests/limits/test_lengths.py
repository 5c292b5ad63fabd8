"""What is too long is refused by its length: nothing hashes, parses or validates it, however it is sent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import httpx
import pytest

from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway

READS = "graphql_api.http_request._json"
HASHES = "graphql_api.documents.hashes.hash_of"
DEAR = {READS, HASHES, "graphql.language.parser.parse", "graphql.validation.validate.validate"}
"""Functions that read all of a body or of a text."""
MOST = 2000
LONG = "{ product(id: 1) { name } } #".ljust(MOST + 1, "x")
WIDE = "{ product(id: 1) { name } } #".ljust(MOST - 500, "é")
"""Within the limit by its characters, and beyond it by its bytes."""
HASH = hashlib.sha256(LONG.encode()).hexdigest()
GRAPHQL = "application/graphql-response+json"


class Watched:
    """A gateway, and which of the ``DEAR`` functions its thread has called."""

    def __init__(self, gateway: Gateway, called: set[str]) -> None:
        self.gateway = gateway
        self.called = called

    def asked(self, method: str, **given: Any) -> tuple[httpx.Response, set[str]]:
        """The answer, and what was called for it."""
        self.called.clear()
        return self.gateway.http.request(method, "/graphql", **given), set(self.called)


@contextmanager
def watched(database: str, mode: str) -> Iterator[Watched]:
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
        if event == "call" and name in DEAR:
            called.add(name)

    settings = Settings(
        database_url=Secret(database), documents=mode, graphiql=False, max_document_bytes=MOST, max_body_bytes=5000
    )
    threading.setprofile(note)
    try:
        with running_gateway(settings) as running:
            threading.setprofile(None)
            yield Watched(running, called)
    finally:
        threading.setprofile(None)


@pytest.fixture(scope="module", params=["any", "automatic", "trusted"])
def watching(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A gateway in each mode."""
    with watched(gateway.database, request.param) as one:
        yield one


WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "POST": ("POST", {"json": {"query": LONG}}),
    "POST of many bytes": ("POST", {"json": {"query": WIDE}}),
    "QUERY": ("QUERY", {"json": {"query": LONG}}),
    "GET": ("GET", {"params": {"query": LONG}}),
    "GET with a tag": ("GET", {"params": {"query": LONG}, "headers": {"If-None-Match": '"a"'}}),
    "registration": (
        "POST",
        {"json": {"query": LONG, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}},
    ),
    "registration by GET": ("GET", {"params": {"query": LONG, "documentId": f"sha256:{HASH}"}}),
    "registration under another's hash": ("POST", {"json": {"query": LONG, "id": "1" * 64}}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_document_that_is_too_long_is_neither_hashed_nor_parsed(watching: Watched, way: str) -> None:
    method, given = WAYS[way]
    given = {**given, "headers": {"Accept": GRAPHQL, **given.get("headers", {})}}
    answer, called = watching.asked(method, **given)

    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "message": f"The document has more than {MOST} bytes: send it in parts.",
                "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
            }
        ]
    }
    assert called <= {READS}


def test_one_that_is_as_long_as_it_may_be_is_looked_into(watching: Watched) -> None:
    answer, called = watching.asked("POST", json={"query": LONG[:MOST]})

    trusting = watching.gateway.send("{ nope }")["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert called == ({READS, HASHES} if trusting else DEAR)
    assert ("data" in answer.json()) is not trusting


@pytest.mark.parametrize("chunked", [False, True])
def test_of_a_body_that_is_too_long_nothing_is_read(watching: Watched, chunked: bool) -> None:
    body = b'{"query": "{ __typename }", "x": "' + b"x" * 5000 + b'"}'
    content = iter([body]) if chunked else body
    answer, called = watching.asked("POST", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, called) == (413, set())
    assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
