"""uvicorn's HTTP protocol, with the head and the body of a response in one write."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn types it
        """Take the connection."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type] # it is one in all they use
