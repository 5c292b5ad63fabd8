"""uvicorn's HTTP protocol, with responses written together, and an end of what it takes.

An application that writes its header lines itself may send a response whole: see ``send_whole``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from graphql_api.connections import FULL, LONG_HEAD, MOST_HEAD_BYTES, Connections
from graphql_api.joined_writes import JoinedWrites

_PIECE = 16_384
_MOST_AHEAD = 64
"""Requests that may be sent before those ahead of them are answered. uvicorn keeps them all, and goes on reading."""
CLOSE = (b"connection", b"close")
"""The header that ends a connection: uvicorn has it among its own in a drain."""

WHOLE = "reviews.whole"
"""The extension of ASGI whose value, the connection, ``send_whole`` sends by. Who adds headers takes it out."""

Headers = list[tuple[bytes, bytes]]


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """``headers`` as they are on the wire. Nothing in them may come from a client unchecked."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def headers_of(lines: bytes) -> Headers:
    """The headers of ``lines`` of ours."""
    parted = [line.partition(b": ") for line in lines.split(b"\r\n")[:-1]]
    return [(name, value) for name, _, value in parted]


class _Standing:
    """The lines that uvicorn adds to each response; it makes a new list of them once a second."""

    def __init__(self) -> None:
        self._known: tuple[Headers, bytes, bool] = ([], b"", False)

    def lines(self, headers: Headers) -> tuple[bytes, bool]:
        """The lines of ``headers``, and whether they end the connection, as in a drain."""
        known = self._known
        if headers is not known[0]:
            known = self._known = headers, lines_of(headers), CLOSE in headers
        return known[1:]


_standing = _Standing()


def send_whole(scope: Scope, status: int, lines: bytes, body: bytes) -> bool:
    """Send the response to ``scope``. ``lines``: its headers, none of them ``Connection`` or ``Transfer-Encoding``.

    ``False``: not by this way, nothing was sent, and ASGI's messages must. Those take two coroutines, and of each
    header uvicorn matches name and value with an expression: a tenth of a page's time.
    """
    connection: Protocol | None = scope.get("extensions", {}).get(WHOLE)
    # Another one's, where the client has sent the next request already.
    if connection is None or connection.cycle.scope is not scope:
        return False
    exchange = connection.cycle
    if exchange.response_started or exchange.flow.write_paused or exchange.access_log:
        return False
    if exchange.disconnected:
        return True
    standing, closes = _standing.lines(exchange.default_headers)
    if closes:
        exchange.keep_alive = False
    end = b"\r\n" if closes or exchange.keep_alive else b"connection: close\r\n\r\n"
    sent = b"" if exchange.scope["method"] == "HEAD" else body
    exchange.response_started = True
    exchange.waiting_for_100_continue = False
    transport: JoinedWrites = exchange.transport  # type: ignore[assignment] # what a ``Protocol`` gave it
    transport.hold(b"".join((STATUS_LINE[status], standing, lines, end, sent)))
    exchange.response_complete = True
    exchange.message_event.set()
    if not exchange.keep_alive:
        transport.close()
    exchange.on_response()
    return True


class Protocol(HttpToolsProtocol):
    """One connection. The state of its application's lifespan has ``connections``, which says how many there may be."""

    head_bytes = 0
    """How much of a head has come that is not whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn types it
        """Take the connection, or refuse it."""
        if len(self.connections) >= self._all.most:
            self._all.refuse(transport, FULL)
            return
        super().connection_made(JoinedWrites(transport, self._all.turn))  # type: ignore[arg-type] # it is one in all they use

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        super().connection_lost(exc)
        if self.scope is not None:
            self.scope.pop("extensions", None)  # or the two would keep each other until a search for garbage

    def data_received(self, data: bytes) -> None:
        """Take what was sent; in pieces, so that a head without an end is noticed before all of it is kept."""
        if len(data) <= _PIECE:
            self._take(data)
            return
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing() or self.head_bytes > MOST_HEAD_BYTES:
                return
            self._take(data[start : start + _PIECE])

    def _take(self, data: bytes) -> None:
        super().data_received(data)
        if len(self.pipeline) > _MOST_AHEAD:
            self.transport.abort()
        # An exchange begins when its head is whole, and has the scope that was begun with it.
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.head_bytes = 0
            return
        self.head_bytes += len(data)
        if self.head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.connections.discard(self)
            self._all.refuse(self.transport, LONG_HEAD)

    def on_headers_complete(self) -> None:
        """A request begins."""
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            # Not the exchange: it has the scope, and each would be garbage that only a search for circles finds.
            self.scope["extensions"] = {WHOLE: self}  # type: ignore[dict-item] # whatever the extension wants

    def on_response_complete(self) -> None:
        """An answer is sent. As uvicorn's, but for a timer each: ``Connections`` closes those that nobody uses."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    @property
    def _all(self) -> Connections:
        found: Connections = self.app_state["connections"]
        return found
