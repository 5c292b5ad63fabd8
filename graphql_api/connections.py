"""How many connections a replica has, and how long one may be held that is not used.

uvicorn takes any number, waits for ever for the head of a first request, and keeps what a client does not take; after
each answer it sets a timer. Nothing is armed for a connection here: one look a second goes over all of them.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from graphql_api.http_error import HttpError
from graphql_api.joined_writes import Turn

HEAD_LOOKS = 10
"""Looks after which a connection is closed that has sent nothing, or no whole head."""

IDLE_LOOKS = 5
"""The same of one that has had its answer and asks for nothing more."""

UNSENT_LOOKS = 60
"""The same of one whose client does not take its answer."""

LINGER_S = 1.0
"""A client that is refused gets so long to read why: closed at once, with its bytes unread, it would read nothing."""

MOST_LINGERING = 256
MOST_HEAD_BYTES = 65_536
"""A URL of 8 KB and headers; beyond, what never ends would be kept in memory."""


def _answer(error: HttpError) -> bytes:
    """``error`` as it goes out before there is a request."""
    lines = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "content-type: application/json; charset=utf-8",
        "cache-control: no-store",
        "connection: close",
        f"content-length: {len(error.body)}",
        *(f"{name.lower()}: {value}" for name, value in error.headers.items()),
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + error.body


FULL = _answer(
    HttpError(
        503,
        "This server has as many connections as it takes: ask again later.",
        code="OVERLOADED",
        headers={"Retry-After": "1"},
    )
)
LONG_HEAD = _answer(HttpError(431, f"URL and headers may have at most {MOST_HEAD_BYTES} bytes together."))


class Connections:
    """``most`` at a time. Looks at them when it is told to, which should be once a second.

    ``turn``: what is written to them together.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.turn = Turn()
        self._lingering: set[Refused] = set()
        # By connection: the exchange that it was in at the last look, and for how many looks it has not moved.
        self._stuck: dict[Any, tuple[Any, int]] = {}

    def refuse(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send ``answer`` and close; what else the client sends is dropped."""
        if len(self._lingering) >= MOST_LINGERING:
            transport.abort()
            return
        transport.set_protocol(Refused(transport, answer, self._lingering))

    def look(self, connections: Iterable[Any]) -> None:
        """Close those of uvicorn's ``connections`` that are held and not used."""
        stuck: dict[Any, tuple[Any, int]] = {}
        for connection in list(connections):
            cycle, transport = connection.cycle, connection.transport
            is_waiting = cycle is None or cycle.response_complete
            is_unsent = transport.get_write_buffer_size() > 0
            if not (is_waiting or is_unsent):
                continue
            before, looks = self._stuck.get(connection, (None, 0))
            looks = looks + 1 if before is cycle else 1
            is_idle = cycle is not None and not is_unsent and not connection.head_bytes
            if is_idle and looks > IDLE_LOOKS:
                transport.close()
            elif looks > (UNSENT_LOOKS if is_unsent else HEAD_LOOKS):
                _reset(transport)
            else:
                stuck[connection] = cycle, looks
        self._stuck = stuck


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection and forget what was not taken: else the system would keep it, and try for minutes."""
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Refused(asyncio.Protocol):
    """A connection that gets one answer, whatever it sends."""

    def __init__(self, transport: asyncio.Transport, answer: bytes, lingering: set[Refused]) -> None:
        self._lingering = lingering
        lingering.add(self)
        transport.write(answer)
        transport.write_eof()
        self._end = asyncio.get_running_loop().call_later(LINGER_S, transport.abort)

    def connection_lost(self, _: Exception | None) -> None:
        """It is closed."""
        self._end.cancel()
        self._lingering.discard(self)
