"""A network that loses bytes or takes its time: of the channel of changes, or of all that goes to PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib

CHANNEL = b"GET /internal/changes"
_MOST = 65536


class Proxy:
    """Forwards connections to ``target``, an address or the path of a socket.

    While ``cut`` is set, nothing gets through of the connections that begin with ``begins``: of all, without it.
    ``delay_s``: how much later each piece arrives that is read from now on.
    """

    def __init__(self, target: str, begins: bytes = b"") -> None:
        self._target = target
        self._begins = begins
        self.delay_s = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen; the address."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Close it and all that goes through it."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def lead_to(self, target: str) -> None:
        """Lead there from now on; what leads elsewhere ends, as at a failover."""
        self._target = target
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Lose it: its bytes stay where they are, as in a network that drops them."""
        self._open.clear()

    def mend(self) -> None:
        """Let it through again."""
        self._open.set()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._target.startswith("/"):
            return await asyncio.open_unix_connection(self._target)
        host, port = self._target.rsplit(":", 1)
        return await asyncio.open_connection(host, int(port))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                there, back = await self._connected()
                try:
                    first = await reader.read(_MOST)
                    held = first.startswith(self._begins)
                    if held:
                        await self._open.wait()
                    back.write(first)
                    await asyncio.gather(self._pipe(reader, back, held=held), self._pipe(there, writer, held=held))
                finally:
                    back.close()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: bool) -> None:
        while data := await reader.read(_MOST):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if held:
                await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
