"""How a replica leaves: told by SIGTERM, it says so, goes on answering for a while, and ends when nobody is left.

uvicorn closes its listener at once, and a balancer that has not yet noticed gets refusals. Here the listener stays
open for the drain: ``/readyz`` fails from its first moment, and each answer closes its connection, so that whoever
keeps connections takes the next request elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Generator
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from graphql_api.connections import Connections
from graphql_api.protocol import CLOSE

logger = logging.getLogger("reviews")

FINISH_SECONDS = 10
"""After the drain, requests under way get as long as that to end; then they are cancelled."""

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DrainingServer(uvicorn.Server):
    """One replica, whose application has an event ``draining`` in the state of its lifespan.

    SIGTERM drains for ``drain_seconds``; another signal, or a second one, ends that. SIGINT and SIGHUP, a terminal's
    ways to stop, do not drain. A second SIGINT waits for nothing at all. No signal is raised again at the end: a
    replica that left in good order exits with 0.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the application, then take connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Look at the connections once a second; uvicorn counts tenths."""
        if counter % 10 == 0:
            connections: Connections = self.lifespan.state["connections"]
            connections.look(self.server_state.connections)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what never ends by itself, finish the rest, close the application."""
        self._begin_to_drain()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals in the context, if this is the main thread, which alone can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _HANDLED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain upon the first SIGTERM; upon everything else end."""
        if sig == signal.SIGTERM and not self._told and self.started and self._loop is not None:
            self._told = True
            # A handler runs between any two steps of the loop: the drain begins as one of them.
            self._loop.call_soon_threadsafe(self._drain)
        else:
            super().handle_exit(sig, frame)

    def _drain(self) -> None:
        logger.info("Draining for %g s.", self._drain_seconds)
        self._begin_to_drain()
        asyncio.get_running_loop().call_later(self._drain_seconds, self._end)

    def _end(self) -> None:
        self.should_exit = True

    def _begin_to_drain(self) -> None:
        draining: asyncio.Event = self.lifespan.state["draining"]
        draining.set()
        if CLOSE in self.config.encoded_headers:
            return
        # The first is what uvicorn makes the second of, once a second.
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        for connection in self.server_state.connections:
            # Only the protocols of HTTP/1 have one; ours is one of them.
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                # It took its headers before; told so, it adds this one if none has gone out yet.
                cycle.keep_alive = False


class DrainingWorker(Process):
    """One of several replicas behind one port, in a process of its own."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], drain_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        super().__init__(config, sockets)

    @property
    def server(self) -> uvicorn.Server:
        """The server, made in the worker's process."""
        if self._server is None:
            self._server = DrainingServer(self.config, self._drain_seconds)
        return self._server


class DrainingWorkers(Multiprocess):
    """The supervisor of several replicas: what tells it to end tells them, in the same moment and way."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], drain_seconds: float) -> None:
        super().__init__(config, sockets)
        self._drain_seconds = drain_seconds
        self._told: set[int] = set()
        # A terminal sends SIGINT to the workers as well, and a second one would cut their requests off.
        for number, told in (
            (signal.SIGTERM, signal.SIGTERM),
            (signal.SIGINT, signal.SIGHUP),
            (signal.SIGHUP, signal.SIGHUP),
        ):
            signal.signal(number, self._tells(told))

    def _tells(self, number: signal.Signals) -> signal.Handlers:
        def tell(_sig: int, _frame: FrameType | None) -> None:
            for process in self.processes:
                self._tell(process, number)
            # Looked at twice a second; a lock could be held by what this handler interrupts.
            self.signal_queue.append(signal.SIGTERM)

        return tell  # type: ignore[return-value] # a handler, as typeshed does not name it

    def _tell(self, process: Process, number: signal.Signals) -> None:
        if process.pid is not None and process.exitcode is None:
            self._told.add(process.pid)
            os.kill(process.pid, number)

    def init_processes(self) -> None:
        """Start the workers."""
        for _ in range(self.processes_num):
            self.processes.append(self._started())

    def _started(self) -> DrainingWorker:
        process = DrainingWorker(self.config, self.sockets, self._drain_seconds)
        process.start()
        return process

    def terminate_all(self) -> None:
        """End the workers that no signal has told yet: to tell one twice would cut its drain short."""
        for process in self.processes:
            if process.pid not in self._told:
                self._tell(process, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        """Start a worker for each that died; stop all when one cannot start. As uvicorn does, with workers of ours."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                self.should_exit.set()
            elif not self._told:
                self.processes[place] = self._started()
