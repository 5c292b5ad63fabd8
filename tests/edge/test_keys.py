"""Requests for the same answer share a key; requests for different ones never do."""

from __future__ import annotations

import pytest

from tests.edge.console import Console

HASH = "a" * 64
PERSISTED = f'"persistedQuery":{{"version":1,"sha256Hash":"{HASH}"}}'
APOLLO = f"{{{PERSISTED}}}"
APOLLO_NAMED = f'{{{PERSISTED},"clientLibrary":{{"name":"@apollo/client"}}}}'
APOLLO_BROKEN = f'{{{PERSISTED},"clientLibrary":1.}}'
APOLLO_COST = f'{{{PERSISTED},"cost":true}}'
PAGE = f"{HASH}\nProductPage\n" + '{"id":2}' + "\n"


def key(console: Console, uri: str) -> str | None:
    """The key of a request; ``None``: it is not cached."""
    found: str | None = console.call("edge.keys", "canonical", uri)
    return found


@pytest.mark.parametrize(
    "uri",
    [
        f"/graphql/p/{HASH}/ProductPage?variables=%7B%22id%22:2%7D",
        f'/graphql/p/{HASH}/ProductPage?variables=+{{+"id"+:+2+}}',
        f"/graphql?documentId=sha256:{HASH}&operationName=ProductPage&variables=%7b%22id%22%3a2%7d",
        f"/graphql?variables=%7B%22id%22:2%7D&id={HASH}&operationName=ProductPage",
        f"/graphql?doc_id={HASH}&operationName=ProductPage&variables=%7B%22id%22:2%7D&utm_source=mail",
        f"/graphql?extensions={APOLLO}&operationName=ProductPage&variables=%7B%22id%22:2%7D",
        f"/graphql?extensions={APOLLO_NAMED}&operationName=ProductPage&variables=%7B%22id%22:2%7D",
        f"/graphql?id={HASH}&operationName=ProductPage&variables=%7B%0A%20%20%22id%22:%202%0D%0A%7D",
    ],
)
def test_all_ways_to_ask_for_a_page_share_its_key(console: Console, uri: str) -> None:
    assert key(console, uri) == PAGE


@pytest.mark.parametrize(
    "uri",
    [
        f"/graphql/p/{HASH}/ProductPage?variables=%7B%22id%22:%222%22%7D",
        f"/graphql/p/{HASH}/Other?variables=%7B%22id%22:2%7D",
        f"/graphql/p/{'b' * 64}/ProductPage?variables=%7B%22id%22:2%7D",
        f"/graphql/p/{HASH}?variables=%7B%22id%22:2%7D",
        f"/graphql/p/{HASH}/ProductPage",
        f"/graphql?id=sha256:{HASH}&operationName=ProductPage&variables=%7B%22id%22:2%7D",
        f"/graphql?extensions={APOLLO_BROKEN}&operationName=ProductPage&variables=%7B%22id%22:2%7D",
        f"/graphql?extensions={APOLLO_COST}&operationName=ProductPage&variables=%7B%22id%22:2%7D",
    ],
)
def test_another_request_has_another_key(console: Console, uri: str) -> None:
    assert key(console, uri) not in {None, PAGE}


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("/graphql?query=%7Ba%7D", id="a text"),
        pytest.param(f"/graphql?id={HASH}&query=%7Ba%7D", id="a text beside an id"),
        pytest.param(f"/graphql?id={HASH}&id={HASH}", id="a parameter twice"),
        pytest.param(f"/graphql?id={HASH}&documentId={HASH}", id="two documents"),
        pytest.param(f"/graphql/p/{HASH}/A?documentId={HASH}", id="a document beside the path's"),
        pytest.param(f"/graphql/p/{HASH}/A?operationName=A", id="an operation beside the path's"),
        pytest.param(f"/graphql?id={HASH}&variables=%7B%22a%22:1,%22a%22:2%7D", id="a variable twice"),
        pytest.param(f"/graphql?id={HASH}&variables=%7", id="half an escape"),
        pytest.param(f"/graphql?id={HASH}&variables=%zz", id="no escape"),
        pytest.param(f"/graphql?id={HASH}&variables=[]", id="variables that are no object"),
        pytest.param(f"/graphql?id={HASH}&operationName=-", id="no name of an operation"),
        pytest.param(f"/graphql?id={HASH}%0AA", id="a line break"),
        pytest.param(f"/graphql?id={HASH}&a%C3=1", id="a name that is not UTF-8"),
        pytest.param("/graphql?variables=%7B%7D", id="no document"),
        pytest.param("/graphql/p//A", id="no document in the path"),
        pytest.param(f"/graphql/p/{HASH}/A/B", id="a longer path"),
        pytest.param(f"/graphql/p/{HASH}%2FA", id="an escape in the path"),
        pytest.param(f"/graphql?extensions={APOLLO}&id={HASH}", id="two ways at once"),
        pytest.param('/graphql?extensions={"persistedQuery":{"version":2,"sha256Hash":"aa"}}', id="another version"),
    ],
)
def test_what_is_doubtful_is_not_cached(console: Console, uri: str) -> None:
    assert key(console, uri) is None
