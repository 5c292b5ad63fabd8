"""A network between the edge and a replica that can lose the channel of changes and nothing else."""

from __future__ import annotations

import asyncio
import contextlib

_CHANNEL = b"GET /internal/changes"


class Proxy:
    """Forwards connections to ``target``. While ``cut`` is set, nothing of a channel of changes gets through."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
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

    def cut(self) -> None:
        """Lose the channel: its bytes stay where they are, as in a network that drops them."""
        self._open.clear()

    def mend(self) -> None:
        """Let it through again."""
        self._open.set()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                there, back = await asyncio.open_connection(*self._target)
                first = await reader.read(65536)
                is_channel = first.startswith(_CHANNEL)
                if is_channel:
                    await self._open.wait()
                back.write(first)
                try:
                    both = (self._pipe(reader, back, held=is_channel), self._pipe(there, writer, held=is_channel))
                    await asyncio.gather(*both)
                finally:
                    back.close()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: bool) -> None:
        while data := await reader.read(65536):
            if held:
                await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
