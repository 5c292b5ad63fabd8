"""A connection to the edge that is kept, with one request at a time."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


class Asker(Protocol):
    """Who has requests for connections."""

    def ready(self, connection: Connection) -> None:
        """It can be asked."""

    def answered(self, due: float, status: int) -> None:
        """What was due at that moment was answered with that status, or, 0, never will be."""


class Connection(asyncio.Protocol):
    """One connection of ``asker``."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._due: float | None = None
        self._received = b""
        self._wanted = 0

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        """Be ready."""
        self._transport = transport
        self._asker.ready(self)

    def ask(self, due: float, request: bytes) -> None:
        """Send what was due at that moment."""
        self._due, self._received, self._wanted = due, b"", 0
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._received += data
        if not self._wanted:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end)
            self._wanted = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= self._wanted:
            self._end(int(self._received[9:12]))
            self._asker.ready(self)

    def connection_lost(self, _: Exception | None) -> None:
        """What it was asked is never answered. The edge closes none that is in use, so none is opened again."""
        self._end(0)

    def _end(self, status: int) -> None:
        if self._due is not None:
            due, self._due = self._due, None
            self._asker.answered(due, status)
