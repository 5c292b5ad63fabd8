"""Pages of other origins: which of them may ask, by an allow-list of exact origins. Without one no such page may.

Nothing here is decided by cookies, of which there are none, so an answer is the same for every origin; what differs is
one header, and ``Vary`` says so of every answer, or a cache would give one origin's to another.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api.protocol import WHOLE

ANY = "*"
MAX_AGE_S = 600
METHODS = b"GET, HEAD, POST, QUERY"
ASKED_WITH = b"Accept, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, traceparent, tracestate"
SHOWN = b"ETag, Retry-After, X-Request-Id"
"""What a page may read beside the usual headers. What is told to the edge is not among it."""

_PATH = "/graphql"


class Cors:
    """Lets pages of ``origins`` ask ``/graphql`` and what lies below it, and answers their preflights."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self.app = app
        self._any = ANY in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == _PATH or path.startswith(f"{_PATH}/")):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        allowed = self._allowed(headers.get(b"origin"))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            more = [
                *([(b"vary", b"Origin")] if not self._any else []),
                *([(b"access-control-allow-origin", allowed), *_PREFLIGHT] if allowed else []),
                (b"content-length", b"0"),
            ]
            await send({"type": "http.response.start", "status": 204 if allowed else 403, "headers": more})
            await send({"type": "http.response.body", "body": b""})
            return

        scope.get("extensions", {}).pop(WHOLE, None)  # by which nothing could be added

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = list(message["headers"])
                if not self._any:
                    told.append((b"vary", b"Origin"))
                if allowed:
                    told += [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", SHOWN)]
                message = {**message, "headers": told}
            await send(message)

        await self.app(scope, receive, send_allowed)

    def _allowed(self, origin: bytes | None) -> bytes | None:
        if origin is None:
            return None
        if self._any:
            return ANY.encode()
        return origin if origin in self._origins else None


_PREFLIGHT = [
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", ASKED_WITH),
    (b"access-control-max-age", b"%d" % MAX_AGE_S),
    (b"cache-control", b"no-store"),
]
