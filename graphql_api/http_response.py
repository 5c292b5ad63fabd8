"""From an answer to the bytes of an HTTP response: headers made once, a tag for what may be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import xxhash
from starlette.types import Scope, Send

from graphql_api.changes.changed import MOST_TAGS
from graphql_api.http_request import GRAPHQL_JSON, JSON
from graphql_api.protocol import Headers, lines_of, send_whole
from loaders.tags import ALL

_STANDING: dict[str, Headers] = {
    media_type: [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"vary", b"Accept"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    for media_type in (JSON, GRAPHQL_JSON)
}
_STANDING_LINES = {media_type: lines_of(headers) for media_type, headers in _STANDING.items()}
NOT_KEPT = (b"cache-control", b"no-store")
# Whoever keeps it asks each time whether it still holds: nobody shows an answer from before a write.
KEPT = (b"cache-control", b"public, max-age=0, must-revalidate")
EDGE_MAX_AGE_S = 3600
"""How long an edge may keep an answer that no write touches."""
MOST_TAG_BYTES = 8000
_SEEDS = {JSON: 0, GRAPHQL_JSON: 1}
_TAGS = re.compile(rb'(?:W/)?("[^"]*")')


def tagged(tags: AbstractSet[str]) -> Headers:
    """What an edge keeps an answer by; nothing where the tags are too many: then it keeps none."""
    if len(tags) > MOST_TAGS:
        return []
    named = " ".join(sorted(tags)).encode() or ALL.encode()
    if len(named) > MOST_TAG_BYTES:
        return []
    return [(b"cache-tag", named), (b"edge-max-age", b"%d" % EDGE_MAX_AGE_S)]


def etag_of(body: bytes, media_type: str) -> bytes:
    """A strong tag, another one for the same bytes under another media type.

    XXH3's 128 bits tell accidents apart; nobody gains by making two answers alike on purpose.
    """
    return b'"%s"' % xxhash.xxh3_128_hexdigest(body, _SEEDS[media_type]).encode()


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether the header names ``etag``. The comparison is the weak one. Source: RFC 9110, 13.1.2."""
    return if_none_match.strip() == b"*" or etag in _TAGS.findall(if_none_match)


async def respond(send: Send, status: int, media_type: str, body: bytes, extra: Iterable[tuple[bytes, bytes]]) -> None:
    """Send the whole response."""
    headers = [*_STANDING[media_type], *extra]
    if body:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def respond_whole(scope: Scope, send: Send, status: int, media_type: str, body: bytes, extra: Headers) -> None:
    """The same at once, where the server can. ``extra`` has nothing of a client's in it that was not checked."""
    length = b"content-length: %d\r\n" % len(body) if body else b""
    if not send_whole(scope, status, _STANDING_LINES[media_type] + lines_of(extra) + length, body):
        await respond(send, status, media_type, body, extra)
