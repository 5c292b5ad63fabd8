"""uvicorn as the gateway runs it, with an application that answers everything with the same bytes.

What is left of its pages a second is all that can be gained by a faster gateway. ``perf.servers`` runs it, with the
body on standard input.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from graphql_api.connections import Connections
from graphql_api.protocol import Protocol

_MOST_CONNECTIONS = 1000


class Same:
    """Answers with a body, and with headers like those of a page that may be kept."""

    def __init__(self, body: bytes) -> None:
        headers = {
            b"content-type": b"application/json; charset=utf-8",
            b"vary": b"Accept",
            b"x-content-type-options": b"nosniff",
            b"content-length": b"%d" % len(body),
            b"cache-control": b"public, max-age=0, must-revalidate",
            b"etag": b'"%s"' % (b"0" * 32),
            b"x-request-id": b"0" * 32,
        }
        self._start = {"type": "http.response.start", "status": 200, "headers": list(headers.items())}
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope["state"], receive, send)
            return
        await send(self._start)
        await send(self._body)

    async def _live(self, state: dict[str, Any], receive: Any, send: Any) -> None:
        state["connections"] = Connections(_MOST_CONNECTIONS)
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})


if __name__ == "__main__":
    uvicorn.run(
        Same(sys.stdin.buffer.read()),
        port=int(sys.argv[1]),
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
