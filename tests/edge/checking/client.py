"""HTTP/1.1 over kept connections, as bare as can be: the checker shares two cores with all that it checks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

_HEAD_END, _LENGTH, _STATE = b"\r\n\r\n", b"\r\ncontent-length:", b"\r\nx-cache:"


class Response(NamedTuple):
    """An answer. ``state`` is its ``X-Cache``."""

    status: int
    state: bytes
    body: bytes
    head: bytes


class Connection(asyncio.Protocol):
    """One connection, one request at a time; opened when it is needed."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._expected = -1
        self._head = b""
        self._answer: asyncio.Future[Response] | None = None
        self._slowly = False

    async def ask(self, request: bytes, *, slowly: bool = False) -> Response:
        """The answer to ``request``. ``slowly``: read with pauses. Raises ``OSError`` where there is none."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._buffer.clear()
            await loop.create_connection(lambda: self, *self._address)
        assert self._transport is not None
        self._slowly = slowly
        self._expected = -1
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    async def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.sleep(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed in the middle"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._slowly and self._transport is not None:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(0.05, self._go_on)
        if self._expected < 0:
            end = self._buffer.find(_HEAD_END)
            if end < 0:
                return
            self._head = bytes(self._buffer[: end + 2])
            length = _value(self._head.lower(), _LENGTH)
            self._expected = end + 4 + int(length or 0)
        if len(self._buffer) >= self._expected:
            body = bytes(self._buffer[len(self._head) + 2 : self._expected])
            del self._buffer[: self._expected]
            response = Response(int(self._head[9:12]), _value(self._head, b"\r\nX-Cache:"), body, self._head)
            if b"\r\nconnection: close" in self._head.lower() and self._transport is not None:
                self._transport.close()
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(response)

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


def _value(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    if start < 0:
        return b""
    start += len(name)
    return head[start : head.index(b"\r", start)].strip()


def get(path: str) -> bytes:
    """A GET of ``path``."""
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: application/json\r\n\r\n".encode()


def post(body: bytes, headers: Sequence[str] = ()) -> bytes:
    """A POST of a GraphQL request."""
    more = "".join(f"{header}\r\n" for header in headers)
    head = f"POST /graphql HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
