"""Honest requests: documents that take a value, and the bytes that ask them."""

from __future__ import annotations

import json
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

Requests = st.SearchStrategy[bytes]

TYPE = b"Content-Type: application/json\r\n"
QUERIES = (
    b"query ($t: ID!) { product(id: $t) { name reviews(first: 1) { totalCount nodes { id } } } }",
    b"query ($t: ID!) { node(id: $t) { id } }",
    b"query ($t: [ID!]!) { nodes(ids: $t) { id } }",
    b"query ($t: ID!) { review(id: $t) { summary photos { url } } }",
    b"query ($t: String) { catalog(first: 2, after: $t) { totalCount } }",
    b"query ($t: String) { catalog(first: 2, search: $t) { nodes { name } } }",
    b"query ($t: String) { catalog(first: 2, category: $t) { totalCount } }",
    b"query ($t: String) { product(id: 1) { reviews(filter: { search: $t }) { totalCount } } }",
    b"query ($t: Int) { product(id: 1) { reviews(first: $t) { nodes { rating } } } }",
    b"query ($t: [Int!]) { product(id: 1) { reviews(filter: { ratings: $t }) { totalCount } } }",
)
MUTATIONS = (
    b"mutation ($t: ID!) { markReviewHelpful(input: { reviewId: $t }) { userErrors { code } } }",
    b'mutation ($t: String) { reportReview(input: { reviewId: "1", voter: $t, reason: $t }) { deletedReviewId } }',
    (
        b'mutation ($t: String!) { addReview(input: { productId: "2", rating: 4, summary: $t, body: $t,'
        b' recommended: true, reviewerName: $t, reviewerEmail: "a@example.com",'
        b' characteristics: [{ characteristicId: "5", value: 3 }] })'
        b" { review { summary } userErrors { field code } } }"
    ),
)
GOOD = st.sampled_from([b'"1"', b"2", b"null", b'"shoes"', b'"Kicks"', json.dumps("b" * 60).encode()])
"""Values of ``$t`` that some of them take."""


def post(body: bytes, more: bytes = b"", kind: bytes = TYPE, target: bytes = b"/graphql") -> bytes:
    """A POST that any server understands."""
    top = b"POST " + target + b" HTTP/1.1\r\nHost: shop\r\n" + kind + more
    return top + b"Content-Length: %d\r\n\r\n" % len(body) + body


def get(query_string: bytes, more: bytes = b"") -> bytes:
    """A GET as a browser writes it."""
    return b"GET /graphql?" + query_string + b" HTTP/1.1\r\nHost: shop\r\n" + more + b"\r\n"


def member(document: bytes) -> bytes:
    """A document as a JSON string."""
    return json.dumps(document.decode()).encode()


def body_of(document: bytes, value: bytes, more: bytes = b"") -> bytes:
    """The body that asks ``document`` with ``value``, which is JSON as it is written, for ``$t``."""
    return b'{"query":' + member(document) + b',"variables":{"t":' + value + b"}" + more + b"}"


def quoted(raw: bytes) -> bytes:
    """``raw`` as a value of a query string."""
    return quote_from_bytes(raw, safe="").encode()


def pairs_of(document: bytes, value: bytes) -> bytes:
    """The query string that asks the same."""
    return b"query=" + quoted(document) + b"&variables=" + quoted(b'{"t":' + value + b"}")


def valued(values: Requests) -> Requests:
    """Honest requests but for the value of their variable: a POST, or a GET of a query."""
    sent = st.builds(body_of, st.sampled_from(QUERIES + MUTATIONS), values).map(post)
    asked = st.builds(pairs_of, st.sampled_from(QUERIES), values).map(get)
    return st.one_of(sent, sent, asked)


def ignored(values: Requests) -> Requests:
    """Honest requests with such a member, which means nothing to GraphQL."""
    return st.builds(lambda value: post(body_of(QUERIES[0], b'"1"', b',"x":' + value)), values)


def within(texts: Requests) -> Requests:
    """``texts``, JSON as it is written between quotes, alone or among what a search may hold."""
    return st.builds(
        lambda text, frame: b'"' + frame.replace(b"|", text) + b'"', texts, st.sampled_from([b"|", b"sho|es", b"1|"])
    )
