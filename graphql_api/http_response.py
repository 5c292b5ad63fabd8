"""From an answer to the bytes of an HTTP response: headers made once, a tag for what may be kept."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

import xxhash
from starlette.types import Scope, Send

from graphql_api.changes.changed import MOST_TAGS
from graphql_api.http_request import GRAPHQL_JSON, JSON
from graphql_api.protocol import headers_of, lines_of, send_whole
from loaders.tags import ALL

_STANDING = {
    media_type: lines_of(
        [
            (b"content-type", f"{media_type}; charset=utf-8".encode()),
            (b"vary", b"Accept"),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
    )
    for media_type in (JSON, GRAPHQL_JSON)
}
NOT_KEPT = b"cache-control: no-store\r\n"
KEPT = b"cache-control: public, max-age=0, must-revalidate\r\netag: %b\r\n%b%b"
"""For the tag, what ``tagged`` gives, and whatever else. Whoever keeps the answer asks each time whether it still
holds: nobody shows one from before a write."""
EDGE_MAX_AGE_S = 3600
"""How long an edge may keep an answer that no write touches."""
MOST_TAG_BYTES = 8000
_TAGGED = b"cache-tag: %b\r\n" + b"edge-max-age: %d\r\n" % EDGE_MAX_AGE_S
_SEEDS = {JSON: 0, GRAPHQL_JSON: 1}
_TAGS = re.compile(rb'(?:W/)?("[^"]*")')


def tagged(tags: AbstractSet[str]) -> bytes:
    """The header lines by which an edge keeps an answer; none where the tags are too many: then it keeps none."""
    if len(tags) > MOST_TAGS:
        return b""
    named = (" ".join(sorted(tags)) or ALL).encode()
    return b"" if len(named) > MOST_TAG_BYTES else _TAGGED % named


def etag_of(body: bytes, media_type: str) -> bytes:
    """A strong tag, another one for the same bytes under another media type.

    XXH3's 128 bits tell accidents apart; nobody gains by making two answers alike on purpose.
    """
    return b'"%s"' % xxhash.xxh3_128_hexdigest(body, _SEEDS[media_type]).encode()


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether the header names ``etag``. The comparison is the weak one. Source: RFC 9110, 13.1.2."""
    return if_none_match.strip() == b"*" or etag in _TAGS.findall(if_none_match)


def respond_whole(scope: Scope, status: int, media_type: str, lines: bytes, body: bytes) -> bool:
    """Send the whole response at once, with ``lines`` among its headers; ``False`` where the server cannot.

    ``lines`` have nothing of a client's in them that was not checked.
    """
    return send_whole(scope, status, _head(media_type, lines, body), body)


async def respond(send: Send, status: int, media_type: str, lines: bytes, body: bytes) -> None:
    """The same by ASGI's messages."""
    headers = headers_of(_head(media_type, lines, body))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _head(media_type: str, lines: bytes, body: bytes) -> bytes:
    if not body:
        return _STANDING[media_type] + lines
    return b"%b%bcontent-length: %d\r\n" % (_STANDING[media_type], lines, len(body))
