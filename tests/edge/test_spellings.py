"""However a read is spelled, the edge answers it as the gateway does, kept or not."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections import Counter
from contextlib import closing
from typing import NamedTuple

import pytest

from tests.edge.checking.said import write_line
from tests.edge.conftest import Clusters
from tests.edge.spellings import DOCUMENTS, HASHES, Speller
from tests.edge.test_freshness import edge_of

pytestmark = pytest.mark.edge

REQUESTS = int(os.environ.get("EDGE_SPELLINGS", "5000"))
_REQUEST_ID = re.compile(rb'"requestId":"[^"]+"')
_VARIABLES = {"two": {"id": "1"}, "reviews": {"id": "1"}, "cards": {"ids": ["1"]}, "search": {}}


States = Counter[tuple[int, str | None]]


class Answer(NamedTuple):
    """What two answers to one request must have in common."""

    status: int
    media: str | None
    body: bytes


class Asked:
    """One connection."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._connection = http.client.HTTPConnection(host, int(port), timeout=30)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def get(self, uri: str, accept: str | None) -> tuple[Answer, str | None]:
        """The answer, and its ``X-Cache``."""
        answer = self._answer("GET", uri, None, {"Accept": accept} if accept else {})
        body = _REQUEST_ID.sub(b"", answer.read())
        return Answer(answer.status, answer.getheader("content-type"), body), answer.getheader("x-cache")

    def register(self) -> None:
        """Make the documents known."""
        for name, text in DOCUMENTS.items():
            extensions = {"persistedQuery": {"version": 1, "sha256Hash": HASHES[name]}}
            operation = {"operationName": "A"} if name == "two" else {}
            body = {"query": text, "variables": _VARIABLES[name], "extensions": extensions, **operation}
            answer = self._answer("POST", "/graphql", json.dumps(body), {"Content-Type": "application/json"})
            assert b'"errors"' not in answer.read()

    def _answer(self, method: str, uri: str, body: str | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        try:
            self._connection.request(method, uri, body, headers)
            return self._connection.getresponse()
        except http.client.RemoteDisconnected:  # nobody asked over it for 5 s, while the other one was busy
            self._connection.request(method, uri, body, headers)
            return self._connection.getresponse()


def test_the_edge_answers_every_spelling_as_the_gateway_does(clusters: Clusters) -> None:
    cluster = clusters(replicas=1)
    with closing(Asked(edge_of(cluster).listen)) as edge, closing(Asked(cluster.replicas[0].address)) as gateway:
        gateway.register()
        states, different = compared(edge, gateway)

    write_line(f"{REQUESTS} spellings: {dict(states)}")
    assert different == []
    assert states[200, "HIT"] > REQUESTS / 5
    assert states[400, "BYPASS"] > 0
    assert states[404, "BYPASS"] > 0


def compared(edge: Asked, gateway: Asked) -> tuple[States, list[object]]:
    """How often each status came in each state, and every request that the two answered differently."""
    speller = Speller(seed=1)
    states: States = Counter()
    different: list[object] = []

    for _ in range(REQUESTS):
        uri, accept = speller.request()
        expected, _ = gateway.get(uri, accept)
        # The second answer is the kept one, if any is.
        for answer, state in (edge.get(uri, accept), edge.get(uri, accept)):
            states[answer.status, state] += 1
            if answer != expected:
                different.append((uri, accept, state, expected, answer))
    return states, different
