"""What an HTTP request must look like, without a server."""

from __future__ import annotations

import pytest

from graphql_api.http_error import HttpError
from graphql_api.http_request import (
    GRAPHQL_JSON,
    HTML,
    JSON,
    GraphQLRequest,
    negotiated,
    request_of_body,
    request_of_query_string,
)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, application/json", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        ("application/json;q=0, */*", GRAPHQL_JSON),
        ("APPLICATION/JSON; charset=utf-8", JSON),
        ("application/json;q=nonsense", None),
        ("image/png", None),
        (",,;", None),
    ],
)
def test_the_best_media_type_that_the_client_accepts_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert negotiated(accept, (JSON, GRAPHQL_JSON, HTML)) == chosen


def test_null_and_empty_parameters_are_absent() -> None:
    body = b'{"query": "{a}", "operationName": null, "variables": null, "extensions": null, "unknown": 1}'
    assert request_of_body("application/json", body) == GraphQLRequest("{a}", None, None, {})


def test_a_query_string_carries_variables_as_json() -> None:
    request = request_of_query_string(b"query=%7Ba%7D&variables=%7B%22n%22%3A1%7D&operationName=")
    assert request == GraphQLRequest("{a}", None, None, {"n": 1})


@pytest.mark.parametrize(
    ("content_type", "body", "status", "words"),
    [
        ("text/plain", b"{}", 415, "application/json"),
        ("", b"{}", 415, "application/json"),
        ("application/x-www-form-urlencoded", b"query=%7Ba%7D", 415, "application/json"),
        ("application/json; charset=latin-1", b"{}", 415, "UTF-8"),
        ("application/json", b"{", 400, "not JSON"),
        ("application/json", b'{"query": NaN}', 400, "not JSON"),
        ("application/json", b'"\xff"', 400, "not JSON"),
        ("application/json", b'"\\ud800"', 400, "not JSON"),
        ("application/json", b"[" * 100_000, 400, "not JSON"),
        ("application/json", b"[]", 400, "batches"),
        ("application/json", b"1", 400, "object"),
        ("application/json", b"{}", 400, "`query` is missing"),
        ("application/json", b'{"query": 1}', 400, "`query` must be a string"),
        ("application/json", b'{"query": "{a}", "operationName": 1}', 400, "`operationName` must be a string"),
        ("application/json", b'{"query": "{a}", "variables": []}', 400, "`variables` must be an object"),
        ("application/json", b'{"query": "{a}", "extensions": "x"}', 400, "`extensions` must be an object"),
    ],
)
def test_a_body_that_is_no_request_says_why(content_type: str, body: bytes, status: int, words: str) -> None:
    with pytest.raises(HttpError) as caught:
        request_of_body(content_type, body)
    assert caught.value.status == status
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "query_string",
    [b"query=%ff", b"query=\xff", b"query={a}&variables={", b"variables={}", b"&".join([b"a=1"] * 51)],
)
def test_a_query_string_that_is_no_request_is_a_bad_request(query_string: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        request_of_query_string(query_string)
    assert caught.value.status == 400
