"""Connections that were used once and are held since: what an edge should hardly notice."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_AT_ONCE = 200


class _Idle(asyncio.Protocol):
    """One of them. ``answered`` is set with the first bytes that come."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        transport.write(self._request)

    def data_received(self, _: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(ConnectionError("closed before it was answered"))


@asynccontextmanager
async def holding(address: str, path: str, count: int) -> AsyncIterator[list[asyncio.Transport]]:
    """So many connections to ``address``, each of which was answered once for ``path``; closed after the context."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    host, port = address.split(":")
    request = f"HEAD {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one() -> asyncio.Transport:
        async with turn:
            transport, protocol = await loop.create_connection(lambda: _Idle(request), host, int(port))
            await protocol.answered
            return transport

    transports = await asyncio.gather(*(one() for _ in range(count)))
    try:
        yield transports
    finally:
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)
