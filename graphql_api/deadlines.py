"""When a request ends before its answer is ready: at its deadline, or when its client has left.

Nothing is armed for a request: one look every 50 ms goes over those that run for longer than that, the oldest first. Of
these alone a task waits for the client to leave, so the usual request pays for an entry in a table.
"""

from __future__ import annotations

import asyncio

from starlette.types import Receive

from graphql_api.errors import ReviewsError
from graphql_api.http_error import HttpError

LOOK_S = 0.05
"""Seconds between two looks: a request is ended by so much later than it should be, at the most."""


class ClientLeftError(ReviewsError):
    """The client closed its connection: nobody is there to be answered."""


class Running:
    """One request. ``receive`` is set once its body is there, and tells then when the client leaves.

    ``is_kept``: it is a mutation, which nobody ends from here: see ``graphql_api.mutations.transaction``.
    """

    __slots__ = ("begun", "ended_by", "is_kept", "receive", "task", "watching")

    def __init__(self, task: asyncio.Task[object], begun: float) -> None:
        self.task = task
        self.begun = begun
        self.receive: Receive | None = None
        self.is_kept = False
        self.ended_by: Exception | None = None
        self.watching: asyncio.Task[None] | None = None

    def end(self, error: Exception) -> None:
        """Cancel it, and with it what it waits for."""
        if self.ended_by is None and not self.is_kept:
            self.ended_by = error
            self.task.cancel()

    async def watch(self, receive: Receive) -> None:
        """End it when its client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end(ClientLeftError())


class Deadlines:
    """The requests that run. ``timeout_s``: seconds that each may take, from its head on."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        # In the order of their beginning, which is that of their deadlines.
        self._running: dict[Running, None] = {}
        self._is_looking = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> Running:
        """The current task runs a request from now on."""
        loop = self._loop
        if loop is None:
            # Asked for once: Python asks the system each time whether this is still the process that the loop began in.
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "requests run in tasks"
        running = Running(task, loop.time())
        self._running[running] = None
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(LOOK_S, self._look)
        return running

    def end(self, running: Running) -> None:
        """It runs no more. Raises what it was ended by, in place of the cancellation that it was ended with."""
        del self._running[running]
        if running.watching is not None:
            running.watching.cancel()
        if running.ended_by is not None:
            running.task.uncancel()
            raise running.ended_by

    def at(self, running: Running) -> float:
        """Its deadline, in the time of the loop."""
        return running.begun + self.timeout_s

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for running in self._running:
            if running.begun > now - LOOK_S:
                break
            if now >= running.begun + self.timeout_s:
                running.end(self._too_late(running))
            elif running.watching is None and running.receive is not None and not running.is_kept:
                running.watching = loop.create_task(running.watch(running.receive))
        self._is_looking = bool(self._running)
        if self._is_looking:
            loop.call_later(LOOK_S, self._look)

    def _too_late(self, running: Running) -> HttpError:
        if running.receive is None:
            message = f"The request was not there within {self.timeout_s:g} s: send it faster."
            # Whatever of it comes later must not be taken for another one.
            return HttpError(408, message, code="TIMEOUT", headers={"Connection": "close"})
        message = f"The answer was not ready within {self.timeout_s:g} s: ask for less, or again later."
        return HttpError(504, message, code="TIMEOUT")
