"""What may be odd about a request: values as JSON is written, and ways to spoil a body or a URL."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.honest import post
from tests.fuzz.http_bytes import HASH


def _nested(depth: int, pair: tuple[bytes, bytes]) -> bytes:
    return pair[0] * depth + b"1" + pair[1] * depth


NUMBERS = st.sampled_from(
    [
        b"1e999", b"-1e999", b"1e-999", b"9" * 400, b"-" + b"9" * 400, b"-0", b"0.0", b"1.0", b"1e2", b"1e308",
        b"2147483647", b"2147483648", b"-2147483649", b"9223372036854775808", b"18446744073709551616",
        b"000", b"1." + b"1" * 900,
    ]
)  # fmt: skip
INFINITE = st.sampled_from([b"NaN", b"-Infinity", b"nan", b'"NaN"', b'"-Infinity"', b'"nan"'])
NESTED = st.builds(
    _nested,
    st.sampled_from([2, 9, 10, 11, 100, 300, 1000, 20_000]),
    st.sampled_from([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"t":', b"}]")]),
)
HALVES = st.sampled_from(
    [
        b"\\ud800", b"\\udfff", b"\\udc00\\ud800", b"\\ud83dx", b"\\ud83d\\u0041", b"\xed\xa0\x80", b"\\ud83d\\ude00",
        b"\\uD83D\\uDE00", b"\\ud83d\\ude00\\ude00", b"\\udbff\\udfff", b"\\ud800\\udc00",
        b"\\\\ud800",
    ]
)  # fmt: skip
NULS = st.sampled_from([b"\\u0000", b"\x00", b"\\u0000\\u0000", b"\\\\u0000", b"\\u2400", b"%00"])
UNICODE = st.one_of(
    st.sampled_from(
        [
            "e\u0301\u0345", "\u202eabc\u202c", "\u2066x\u2069", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\uffff",
            "\ufffe", "\ufdd0", "\U0010ffff", "\U0001fffe", "\ufeff", "\u2028", "\u00ad", "İß", "\x7f\x85",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=20),
).map(str.encode)  # fmt: skip
ESCAPED = UNICODE.map(lambda text: json.dumps(text.decode())[1:-1].encode())
OTHER_TYPES = st.sampled_from(
    [b"null", b"true", b"{}", b"[]", b'""', b"[null]", b'[["1"]]', b'{"id":1}', b'["1",2]', b"1.5"]
)
SPOILT = (
    lambda body: body[:-1],
    lambda body: body + b"}",
    lambda body: body[:-1] + b",}",
    lambda body: body.replace(b'"', b"'"),
    lambda body: b"/* */" + body,
    lambda body: b"[" + body + b"]",
    lambda body: b" \t\r\n" + body + b"\n \n",
    lambda body: b"\x0b" + body,
    lambda body: body.replace(b'"query"', b'"\\u0071uery"'),
    lambda body: body.replace(b"product", b"\\u0070roduct").replace(b"id", b"\\u0069d"),
    lambda body: json.dumps(body.decode()).encode(),
    lambda _: b"",
    lambda _: b"null",
)  # fmt: skip
ENCODED: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: post(body.decode().encode("utf-16")),
    lambda body: post(body.decode().encode("utf-32-le")),
    lambda body: post(body.decode().encode("utf-16-be"), kind=b"Content-Type: application/json; charset=utf-16be\r\n"),
    lambda body: post(b"\xef\xbb\xbf" + body),
    lambda body: post(body.replace(b"1", "é".encode("latin-1"))),
    lambda body: post(body.replace(b"1", b"\xc0\xaf")),
    lambda body: post(body.replace(b"1", b"\xf4\x90\x80\x80")),
    lambda body: post(gzip.compress(body), b"Content-Encoding: gzip\r\n"),
    lambda body: post(body, b"Content-Encoding: identity\r\n"),
    lambda body: post(body, kind=b'Content-Type: APPLICATION/JSON; Charset="UTF-8"\r\n'),
    lambda body: post(body, kind=b"Content-Type: application/json; charset=utf8; charset=latin-1\r\n"),
    lambda body: post(body, kind=b"Content-Type: application/graphql\r\n"),
    lambda body: post(body, kind=b""),
    lambda body: post(body, b"Accept: application/graphql-response+json\r\n"),
    lambda body: post(body, b"Accept-Encoding: gzip, br, x\r\n"),
    lambda body: post(body, kind=b"Content-Type: application/json\r\nContent-Type: text/plain\r\n"),
)
STRINGS: tuple[Callable[[bytes], bytes], ...] = (
    lambda pairs: pairs + b"&",
    lambda pairs: b"&&" + pairs,
    lambda pairs: pairs + b"&x=%ff",
    lambda pairs: pairs + b"%",
    lambda pairs: pairs + b"%zz",
    lambda pairs: pairs + b"&" + pairs,
    lambda pairs: pairs + b"&query=",
    lambda pairs: pairs + b"&operationName=",
    lambda pairs: pairs.replace(b"%20", b"+"),
    lambda pairs: pairs.replace(b"%7B", b"%7b").replace(b"%3A", b":"),
    lambda pairs: pairs.replace(b"query", b"%71uery", 1),
    lambda pairs: pairs.replace(b"variables=", b"variables=%00"),
    lambda pairs: pairs.replace(b"=", b"%3D", 1),
    lambda pairs: pairs + b"#fragment",
    lambda pairs: pairs + b"&x" * 100,
    lambda pairs: pairs.replace(b"%24", b"%ed%a0%80", 1),
)
SHAPES = (
    b"{" * 900, b"{a" * 300,
    b"{ product(id: 1) " + b"{ reviews { nodes { product " * 12 + b"{ id }" + b" } } }" * 12 + b" }",
    b"query A { __typename } query A { __typename }", b"query A { __typename } query B { __typename }",
    b"fragment F on Query { ...F } { ...F }", b"{ ...F }", b"fragment F on Query { __typename } { ...F ...F }",
    b"{ a: __typename a: categories { category } }", b"{ " + b"__typename " * 60 + b"}", b"subscription { x }", b"# {",
    b"{ __typename @skip(if: true) }", b"{ __typename @include(if: $a) }", b"query ($a: X) { __typename }",
    b'{ product(id: """1""") { name } }', b"{ product(id: 1.0) { name } }", b"{ product(id: 1, id: 2) { name } }",
    b"\xef\xbb\xbf{ __typename }", b"{ product(id: [1]) { name } }", b"{ __schema { types { name } } }",
    b"type A { a: Int }",
    b"{ product(id: 999999999999999999999) { name } }", b'{ product(id: "\\u{1F600}") { name } }', b"{ product }",
)  # fmt: skip
IDS = st.one_of(
    st.sampled_from([HASH, b"sha256:" + HASH, b"A" * 64, b"1" * 63, b"0", b"..", b"\\u0000", b" ", b"sha512:1"]),
    ESCAPED,
)
PERSISTED = (
    lambda id_: b'{"documentId":"' + id_ + b'"}',
    lambda id_: b'{"id":"' + id_ + b'","variables":{}}',
    lambda id_: b'{"query":"{ __typename }","doc_id":"' + id_ + b'"}',
    lambda id_: b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"' + id_ + b'"}}}',
    lambda id_: b'{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"' + id_ + b'"}}}',
    lambda id_: b'{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"' + id_ + b'"}}}',
    lambda id_: b'{"query":"{ __typename }","operationName":"' + id_ + b'"}',
    lambda id_: b'{"query":"{ __typename }","extensions":{"cost":"' + id_ + b'"}}',
    lambda id_: b'{"query":"{ __typename }","extensions":{"other":"' + id_ + b'"}}',
)
