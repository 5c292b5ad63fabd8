"""What an HTTP request must look like, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.http_error import HttpError
from graphql_api.http_request import (
    GRAPHQL_JSON,
    HTML,
    JSON,
    GraphQLRequest,
    _unquoted,
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
        ("application/json;q=\x1c1", None),
        ("application/json ;\tq = 1", JSON),
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


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    variables=st.dictionaries(st.text(), JSON_VALUES, min_size=1),
    quoting=st.sampled_from([quote, quote_plus]),
    safe=st.sampled_from(["", '{}":,', "/"]),
    place=st.integers(0, 2),
)
def test_variables_are_read_wherever_they_stand_and_however_they_are_quoted(
    variables: dict[str, Any], quoting: Callable[..., str], safe: str, place: int
) -> None:
    pairs = ["operationName=A", f"extensions={quote('{}')}"]
    pairs.insert(place, f"variables={quoting(orjson.dumps(variables).decode(), safe=safe)}")
    request = request_of_query_string("&".join([*pairs, "documentId=x"]).encode())
    assert request == GraphQLRequest(None, "x", "A", variables)


@given(st.text(alphabet="%2273BbDdAa{,+ é", max_size=12).map(str.encode))
def test_quoting_is_undone_as_the_standard_library_does(raw: bytes) -> None:
    assert _unquoted(raw) == unquote_to_bytes(raw.replace(b"+", b" "))


def test_a_name_may_be_quoted_too() -> None:
    assert request_of_query_string(b"%76ariables=%7B%22n%22:1%7D&%69d=x") == GraphQLRequest(None, "x", None, {"n": 1})


def test_a_path_names_the_document_and_its_operation() -> None:
    assert request_of_query_string(b"", "abc/Page") == GraphQLRequest(None, "abc", "Page", {})
    assert request_of_query_string(b"operationName=Page", "sha256:abc") == GraphQLRequest(None, "abc", "Page", {})


@pytest.mark.parametrize(
    ("query_string", "own_path", "words"),
    [
        (b"variables={}&variables={}", "abc", "`variables` is given twice"),
        (b"a=1&variables={}&id=x&variables={}", None, "`variables` is given twice"),
        (b"variables={}&%76ariables={}&id=x", None, "`variables` is given twice"),
        (b"id=x&id=x", None, "`id` is given twice"),
        (b"documentId=abc", "abc", "`documentId` is given twice"),
        (b"operationName=Page", "abc/Page", "`operationName` is given twice"),
        (b"id=x", "abc", "two documents"),
        (b"id=x&doc_id=y", None, "two documents"),
        (b'id=x&extensions={"persistedQuery":{"version":1,"sha256Hash":"y"}}', None, "two documents"),
    ],
)
def test_what_is_said_twice_is_refused(query_string: bytes, own_path: str | None, words: str) -> None:
    with pytest.raises(HttpError, match=words) as caught:
        request_of_query_string(query_string, own_path)
    assert caught.value.status == 400


@pytest.mark.parametrize("own_path", [None, "sha256:"])
def test_a_prefix_alone_names_no_document(own_path: str | None) -> None:
    with pytest.raises(HttpError, match="`documentId` names no document: the SHA-256") as caught:
        request_of_query_string(b"" if own_path else b"documentId=sha256:", own_path)
    assert caught.value.status == 400


def test_what_is_ignored_may_be_said_twice() -> None:
    assert request_of_query_string(b"id=x&utm=1&utm=2&id=") == GraphQLRequest(None, "x", None, {})


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
