"""Requests as bytes: honest ones, and such as no client of good will sends."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

DOCUMENT = b"{ product(id: 1) { name } }"
HASH = b"1" * 64

_ODD_TEXTS = st.one_of(
    st.sampled_from(
        [
            b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\xf4\x90\x80\x80",
            "\u202e\u0301\ufffe\U0010ffff".encode(), b"1e999", b"9" * 400, b"-0", b"NaN", b"Infinity", b"nul",
            b"[" * 2000, b'{"a":' * 1200, b'"' * 3, b"\\", b"%00", b"\r\n", b"\x1b[31m",
        ]
    ),
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)  # fmt: skip
_VALUES = st.one_of(
    st.sampled_from([b"null", b"true", b"1", b'"1"', b"{}", b"[]", b'{"id":1}', b'{"id":"1","id":"2"}', b"1.0"]),
    _ODD_TEXTS,
    _ODD_TEXTS.map(lambda text: b'"' + text + b'"'),
)
_NAMES = st.sampled_from(
    [b"query", b"variables", b"operationName", b"extensions", b"documentId", b"id", b"doc_id", b"x"]
)
_PERSISTED = st.builds(
    lambda version, sha: b'{"persistedQuery":{"version":' + version + b',"sha256Hash":' + sha + b"}}", _VALUES, _VALUES
)
_DOCUMENTS = st.one_of(
    st.just(DOCUMENT),
    st.builds(lambda odd: b'{ product(id: "' + odd + b'") { name } }', _ODD_TEXTS),
    st.builds(lambda odd: b'{ catalog(first: 2, after: "' + odd + b'") { totalCount } }', _ODD_TEXTS),
    st.builds(lambda odd: b'{ catalog(first: 2, search: "abc' + odd + b'") { totalCount } }', _ODD_TEXTS),
    st.sampled_from(
        [b"{" * 900, b"{a" * 300, b"query A { a } query A { a }", b"fragment F on Query { ...F } { ...F }"]
    ),
    _ODD_TEXTS,
)


def _quoted(document: bytes) -> bytes:
    return b'"' + document.replace(b'"', b'\\"') + b'"'


_MEMBERS = st.one_of(
    st.tuples(st.just(b"query"), _DOCUMENTS.map(_quoted)),
    st.tuples(st.just(b"extensions"), _PERSISTED),
    st.tuples(_NAMES, _VALUES),
)
BODIES = st.one_of(
    st.lists(_MEMBERS, max_size=4).map(
        lambda pairs: b"{" + b",".join(b'"' + name + b'":' + value for name, value in pairs) + b"}"
    ),
    _VALUES,
    st.just(b'{"query":"{ product(id: 1) { name } }"}').map(lambda text: text.decode().encode("utf-16")),
    st.just(b'\xef\xbb\xbf{"query":"{ __typename }"}'),
)


def _escaped(odd: bytes, *, broken: bool) -> bytes:
    text = quote_from_bytes(odd).encode()
    return text + b"%" if broken else text


_PAIRS = st.builds(
    lambda name, value, broken: name + b"=" + _escaped(value, broken=broken),
    _NAMES,
    st.one_of(_VALUES, _DOCUMENTS, _PERSISTED, st.just(HASH)),
    st.sampled_from([False, False, False, True]),
)
_PATHS = st.one_of(
    st.sampled_from(
        [
            b"/graphql", b"/graphql", b"/graphql/p/" + HASH, b"/graphql/p/", b"/graphql/p/..", b"//graphql",
            b"/graphql/", b"/graphql%00", b"/graphql%2fp%2f" + HASH, b"/graphql/p/%00", b"/graphql/p/" + HASH + b"/%ff",
            b"/graphql/p/../../livez", b"/%67raphql", b"*", b"http://other/graphql", b"/livez", b"/metrics", b"/x",
        ]
    ),
    _ODD_TEXTS.map(lambda odd: b"/graphql/p/" + quote_from_bytes(odd).encode()),
    st.binary(max_size=20).map(lambda raw: b"/graphql/p/" + raw),
)  # fmt: skip
TARGETS = st.builds(
    lambda path, pairs: path + (b"?" + b"&".join(pairs) if pairs else b""), _PATHS, st.lists(_PAIRS, max_size=3)
)
_HEADER_NAMES = st.sampled_from(
    [
        b"Accept", b"Content-Type", b"Idempotency-Key", b"X-Request-Id", b"If-None-Match", b"Accept-Encoding",
        b"X-Forwarded-For", b"Reviews-After", b"traceparent", b"Expect", b"Upgrade", b"Connection", b"Range", b"X",
        b"Cookie", b"Host", b"X-Forwarded-Proto",
    ]
)  # fmt: skip
_HEADER_VALUES = st.one_of(
    st.sampled_from(
        [
            b"*/*", b"text/html", b"application/json;q=x", b",,;", b"application/json; charset=utf-16", b"close",
            b"100-continue", b"h2c", b"websocket", b"*", b'"', b'W/"', b"bytes=0-1", b"0/0", b"-1", b"a" * 3000,
        ]
    ),
    _ODD_TEXTS,
)  # fmt: skip
HEADERS = st.builds(
    lambda name, value, fold: name + b":" + fold + value.replace(b"\n", b"").replace(b"\r", b"") + b"\r\n",
    _HEADER_NAMES,
    _HEADER_VALUES,
    st.sampled_from([b" ", b" ", b" ", b"", b"\t", b"\r\n "]),
)
_TYPES = st.sampled_from([b"Content-Type: application/json\r\n"] * 4 + [b"", b"Content-Type: text/plain\r\n"])
_METHODS = st.sampled_from(
    [b"POST", b"POST", b"QUERY", b"GET", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"P\x00"]
)


def _framed(method: bytes, target: bytes, headers: list[bytes], kind: bytes, body: bytes, framing: bytes) -> bytes:
    top = method + b" " + target + b" HTTP/1.1\r\nHost: shop\r\n" + kind + b"".join(headers)
    return top + framing.replace(b"LENGTH", b"%d" % len(body)) + b"\r\n" + body


FRAMED = st.builds(
    _framed, _METHODS, TARGETS, st.lists(HEADERS, max_size=3), _TYPES, BODIES, st.just(b"Content-Length: LENGTH\r\n")
)
ASKED = st.builds(
    lambda target, headers: _framed(b"GET", target, headers, b"", b"", b""), TARGETS, st.lists(HEADERS, max_size=3)
)
# What an edge and a replica might take for two requests, or for one.
_SMUGGLED = b"GET /graphql?query=%7Bsmuggled:__typename%7D HTTP/1.1\r\nHost: shop\r\n\r\n"
_GAMES = st.sampled_from(
    [
        b"Content-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: LENGTH\r\n",
        b"Content-Length: LENGTH\r\nContent-Length: 0\r\n",
        b"Content-Length: 0\r\nContent-Length: LENGTH\r\n",
        b"Content-Length: +LENGTH\r\n", b"Content-Length: -1\r\n", b"Content-Length: LENGTH, LENGTH\r\n",
        b"Content-Length: 0x10\r\n", b"Content-Length : LENGTH\r\n", b"Content-Length:\r\n LENGTH\r\n",
        b"Content-Length: 99999999999999999999\r\n", b"Content-Length: \x00\r\n", b"Content_Length: LENGTH\r\n",
        b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: identity, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"transfer-encoding: CHUNKED\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
        b"X: x\nTransfer-Encoding: chunked\r\n",
        b"X: x\rContent-Length: 0\r\n", b"",
    ]
)  # fmt: skip
_CHUNKED = st.sampled_from(
    [
        b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"5\r\n{\"a\":\r\n0\r\n\r\n", b"-1\r\n\r\n", b"0x5\r\n12345\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\n", b"10000000000000000\r\n", b"5;x=\"\n\"\r\n12345\r\n0\r\n\r\n", b"5\n12345\n0\n\n",
        b"5\r\n1234567\r\n0\r\n\r\n", b"00000000000000005\r\n12345\r\n0\r\n\r\n", b"", b"1_0\r\n",
        b" 5\r\n12345\r\n0\r\n\r\n",
    ]
)  # fmt: skip
SMUGGLING = st.builds(
    lambda method, target, games, body: _framed(
        method, target, [], b"Content-Type: application/json\r\n", body + _SMUGGLED, games
    ),
    st.sampled_from([b"POST", b"GET", b"QUERY"]),
    st.sampled_from([b"/graphql", b"/graphql?query=%7B__typename%7D"]),
    _GAMES,
    st.one_of(_CHUNKED, BODIES),
)
LINES = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.sampled_from(
        [
            b"GET / HTTP/9.9\r\n\r\n", b"GET /graphql\r\n\r\n", b"GET  /graphql HTTP/1.1\r\n\r\n", b"\r\n\r\n\r\n",
            b"GET /graphql HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
            b"GET /graphql HTTP/1.1\nHost: shop\n\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
            b"GET /graphql HTTP/1.1\r\nHost: shop\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
            b"GET /graphql HTTP/1.1\r\nHost: shop\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
            b"GET /graphql HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /graphql HTTP/1.1\r\n: x\r\n\r\n",
        ]
    ),
)  # fmt: skip
ALL_AT_ONCE = st.one_of(FRAMED, ASKED)
