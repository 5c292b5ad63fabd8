"""Honest requests with one thing about them that is odd, by the kind of oddity."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.honest import (
    GOOD,
    MUTATIONS,
    QUERIES,
    Requests,
    body_of,
    get,
    ignored,
    member,
    pairs_of,
    post,
    valued,
    within,
)
from tests.fuzz.http_bytes import ALL_AT_ONCE, HEADERS, LINES, SMUGGLING
from tests.fuzz.oddities import (
    ENCODED,
    ESCAPED,
    HALVES,
    IDS,
    INFINITE,
    NESTED,
    NULS,
    NUMBERS,
    OTHER_TYPES,
    PERSISTED,
    SHAPES,
    SPOILT,
    STRINGS,
    UNICODE,
)

BODIES = st.builds(body_of, st.sampled_from(QUERIES + MUTATIONS), GOOD)
PAIRS = st.builds(pairs_of, st.sampled_from(QUERIES), GOOD)
VALID = valued(GOOD)


def _duplicate(document: bytes, first: bytes, second: bytes, place: int) -> bytes:
    twice = (
        b'{"query":' + member(document) + b',"variables":{"t":' + first + b',"t":' + second + b"}}",
        b'{"query":"{","variables":{"t":' + first + b'},"query":' + member(document) + b"}",
        b'{"variables":{"t":' + first + b'},"query":' + member(document) + b',"variables":{"t":' + second + b"}}",
        body_of(document, first, b',"extensions":{},"extensions":{"a":1,"a":2}'),
    )
    return post(twice[place])


def _changed(request: bytes, place: int, byte: int, how: str) -> bytes:
    at = place % len(request)
    if how == "cut":
        return request[:at]
    kept = request[at:] if how == "inserted" else request[at + 1 :]
    return request[:at] + (b"" if how == "removed" else bytes([byte])) + kept


def with_a_byte(requests: Requests, *hows: str) -> Requests:
    """``requests`` with one byte changed."""
    return st.builds(_changed, requests, st.integers(0, 100_000), st.integers(0, 255), st.sampled_from(hows))


KINDS: dict[str, Requests] = {
    "none": VALID,
    "duplicate keys": st.builds(_duplicate, st.sampled_from(QUERIES), GOOD, GOOD, st.integers(0, 3)),
    "NaN, Infinity": st.one_of(valued(INFINITE), ignored(INFINITE)),
    "huge numbers": st.one_of(valued(NUMBERS), ignored(NUMBERS)),
    "deep nesting": st.one_of(valued(NESTED), ignored(NESTED)),
    "lone surrogates": valued(within(HALVES)),
    "NUL": valued(within(NULS)),
    "Unicode": valued(within(st.one_of(UNICODE, ESCAPED))),
    "other types": valued(OTHER_TYPES),
    "spoilt JSON": st.builds(lambda body, spoil: post(spoil(body)), BODIES, st.sampled_from(SPOILT)),
    "encodings": st.builds(lambda body, encode: encode(body), BODIES, st.sampled_from(ENCODED)),
    "headers": st.one_of(
        st.builds(post, BODIES, HEADERS),
        st.builds(get, PAIRS, HEADERS),
    ),
    "query strings": st.builds(lambda pairs, spoil: get(spoil(pairs)), PAIRS, st.sampled_from(STRINGS)),
    "documents": st.builds(lambda text: post(b'{"query":' + member(text) + b"}"), st.sampled_from(SHAPES)),
    "a byte of a document": st.builds(
        lambda text: post(body_of(text.decode(errors="replace").encode(), b'"1"')),
        with_a_byte(st.sampled_from(QUERIES + MUTATIONS), "replaced", "inserted", "removed", "cut"),
    ),
    "ids of documents": st.builds(lambda id_, put: post(put(id_)), IDS, st.sampled_from(PERSISTED)),
    "a byte of a request": with_a_byte(VALID, "replaced", "inserted", "removed", "cut"),
    "framing": SMUGGLING,
    "lines": LINES,
    "many at once": ALL_AT_ONCE,
}
