"""uvicorn's HTTP protocol, with the head and the body of a response in one write, and an end of what it takes."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from graphql_api.connections import FULL, LONG_HEAD, MOST_HEAD_BYTES, Connections

_PIECE = 16_384
_MOST_AHEAD = 64
"""Requests that may be sent before those ahead of them are answered. uvicorn keeps them all, and goes on reading."""
_END = b"\r\n\r\n"
_START = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that holds the head of a response back until its body comes, in the same turn of the loop.

    uvicorn writes them one after the other, and each is a system call: a tenth of a page's time.
    """

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write ``data``, after what was held; hold it if it is a head."""
        if self._held:
            data, self._held = self._held + data, b""
        elif data.startswith(_START) and data.endswith(_END):
            self._held = data
            self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is held: the answer to HEAD has no body, and one that streams may be long in coming."""
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection when everything is written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """One connection. The state of its application's lifespan has ``connections``, which says how many there may be."""

    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn types it
        """Take the connection, or refuse it."""
        if len(self.connections) >= self._all.most:
            self._all.refuse(transport, FULL)
            return
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type] # it is one in all they use

    def data_received(self, data: bytes) -> None:
        """Take what was sent; in pieces, so that a head without an end is noticed before all of it is kept."""
        if len(data) <= _PIECE:
            self._take(data)
            return
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing() or self._head_bytes > MOST_HEAD_BYTES:
                return
            self._take(data[start : start + _PIECE])

    def _take(self, data: bytes) -> None:
        super().data_received(data)
        if len(self.pipeline) > _MOST_AHEAD:
            self.transport.abort()
        # An exchange begins when its head is whole, and has the scope that was begun with it.
        if self.cycle is not None and self.cycle.scope is self.scope:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.connections.discard(self)
            self._all.refuse(self.transport, LONG_HEAD)

    @property
    def _all(self) -> Connections:
        found: Connections = self.app_state["connections"]
        return found
