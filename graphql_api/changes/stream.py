"""``/internal/changes``: for edges alone, the changes as they are committed and a sign of life, a line each.

from <position> <lsn>      it goes on from the position that was asked for
reset <position> <lsn>     it cannot: whoever reads forgets everything
change <xid> <tag> …       a transaction that has committed; several lines for one are possible
at <position> <lsn>        everything until here has been told
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

import asyncpg
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from graphql_api.changes.reader import Reader
from graphql_api.db.engine import AWAY
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

LOOK_SECONDS = 0.02
SIGN_SECONDS = 0.25
MOST_STREAMS = 32
"""Each has a connection to the database, and an edge needs one."""
_FORGET_SECONDS = 1


class Changes:
    """Streams of changes, one an edge. ``leaving`` is set when the replica begins to: all of them end then.

    ``told`` is called with how many changes of one look were sent, and the seconds since it began.
    """

    def __init__(
        self, url: str, settings: Settings, leaving: asyncio.Event, told: Callable[[int, float], None]
    ) -> None:
        self._url = url
        self._settings = settings
        self._leaving = leaving
        self._told = told
        self._streams = 0

    async def response(self, request: Request) -> Response:
        """The stream that ``request`` asks for; 503 when the primary is away, the replica leaves or has too many."""
        if self._leaving.is_set() or self._streams >= MOST_STREAMS:
            return PlainTextResponse("no more streams\n", 503, {"Retry-After": "1"})
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=self._settings.connect_timeout_s,
                command_timeout=self._settings.connect_timeout_s,
                server_settings={"application_name": "reviews-gateway changes", "timezone": "UTC"},
                **({"statement_cache_size": 0} if self._settings.pgbouncer else {}),
            )
        except AWAY as error:
            logger.warning("The changes cannot be read: %s", type(error).__name__)
            return PlainTextResponse("the database is away\n", 503, {"Retry-After": "1"})
        lines = self._lines(connection, request.query_params.get("after", ""))
        return StreamingResponse(lines, media_type="text/plain", headers={"Cache-Control": "no-store"})

    async def _lines(self, connection: asyncpg.Connection, after: str) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            reader = await Reader.open(connection)
            word = "from" if await reader.go_on_from(after) else "reset"
            yield f"{word} {reader.position} {reader.lsn}\n".encode()
            told, forgotten = 0.0, time.monotonic()
            while not self._leaving.is_set():
                began = time.monotonic()
                reading = await reader.read()
                now = time.monotonic()
                if reading.changes or now - told >= SIGN_SECONDS:
                    lines = [f"change {xid} {tags}\n" for xid, tags in reading.changes]
                    yield "".join([*lines, f"at {reading.position} {reading.lsn}\n"]).encode()
                    told = now
                    if reading.changes:
                        self._told(len(reading.changes), time.monotonic() - began)
                if now - forgotten > _FORGET_SECONDS:
                    # Where this may not write, others do.
                    with contextlib.suppress(asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError):
                        await reader.forget_old()
                    forgotten = now
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), LOOK_SECONDS)
        except AWAY as error:
            # The edge asks another replica, or this one again.
            logger.warning("A stream of changes ended: %s", type(error).__name__)
        finally:
            self._streams -= 1
            connection.terminate()
