"""Requests that arrive when they arrive, whether those before them are answered or not: Poisson arrivals of a rate.

Each is timed from the moment at which it was due, so that what waits because the server is slow counts as waiting.
``perf.ladder.load`` runs it as a process of its own: it says "begin" and "end" around what is measured, then a line of
JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import uvloop

from perf.ladder.clock import Clock
from perf.ladder.connection import Connection
from perf.ladder.laws import percentiles, popular

_OK = 200
_PATIENCE_SECONDS = 15
"""How long the last answers are waited for; what is missing then is an error."""


class Arrivals:
    """The requests of one run: those that are due and wait, and the connections that are free for them."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.free: deque[Connection] = deque()
        self.outstanding = self.errors = self.within = 0
        self.latencies_ms: list[float] = []
        self.begin = self.end = math.inf
        self._answered = asyncio.Event()

    def arrive(self, due: float, request: bytes) -> None:
        """A request is due."""
        self.outstanding += 1
        if self.free:
            self.free.popleft().ask(due, request)
        else:
            self.waiting.append((due, request))

    def ready(self, connection: Connection) -> None:
        """A connection can be asked: it gets what has waited longest."""
        if self.waiting:
            connection.ask(*self.waiting.popleft())
        else:
            self.free.append(connection)

    def answered(self, due: float, status: int) -> None:
        """The answer to what was due at that moment is there, or will never be."""
        now, well = time.monotonic(), status == _OK
        self.outstanding -= 1
        if due >= self.begin and well:
            self.latencies_ms.append((now - due) * 1000)
        elif due >= self.begin:
            self.errors += 1
        self.within += well and self.begin <= now < self.end
        if not self.outstanding:
            self._answered.set()

    async def run(self) -> dict[str, float]:
        """Let them arrive, and wait for the answers."""
        loop = asyncio.get_running_loop()
        host, port = self.given.address.split(":")
        for _ in range(self.given.connections):
            await loop.create_connection(lambda: Connection(self), host, int(port))
        start = time.monotonic() + 0.05
        self.begin = start + self.given.warm
        self.end = self.begin + self.given.seconds
        marks = [loop.create_task(_said(word, at)) for word, at in (("begin", self.begin), ("end", self.end))]
        await self._let_arrive(self._schedule(start))
        begun, ended = [await mark for mark in marks]
        self._answered.clear()
        if self.outstanding:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), _PATIENCE_SECONDS)
        failed = self.errors + self.outstanding
        figures = {"requests": self.within, "errors": failed, "cpu_seconds": ended - begun}
        return {**percentiles(self.latencies_ms), **figures}

    async def _let_arrive(self, schedule: Iterator[tuple[float, bytes]]) -> None:
        clock, finished = Clock(), asyncio.Event()
        due, request = next(schedule, (math.inf, b""))

        def wake() -> None:
            nonlocal due, request
            clock.read()
            now = time.monotonic()
            while due <= now:
                self.arrive(due, request)
                due, request = next(schedule, (math.inf, b""))
            if due < math.inf:
                clock.set(due)
            else:
                finished.set()

        asyncio.get_running_loop().add_reader(clock.file, wake)
        clock.set(due)
        await finished.wait()
        asyncio.get_running_loop().remove_reader(clock.file)

    def _schedule(self, start: float) -> Iterator[tuple[float, bytes]]:
        given, chance = self.given, random.Random(self.given.seed)
        due, asked = start, 0
        while (due := due + chance.expovariate(given.rate)) < self.end:
            # The laws of ask.lua.
            if given.law == "even":
                asked += 1
                page = f"{int(chance.random() * given.highest) + 1}{given.mark}{asked}%22"
            else:
                page = f"{popular(chance, given.highest)}"
            yield due, f"{given.before}{page}{given.after}".encode()


async def _said(word: str, moment: float) -> float:
    """Say it at that moment; the seconds of CPU that were used until then."""
    await asyncio.sleep(moment - time.monotonic())
    print(word, flush=True)
    return time.process_time()


def main() -> None:
    """Run as it is told, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "before", "after", "mark", "law"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("highest", "seed", "connections"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("rate", "warm", "seconds"):
        parser.add_argument(f"--{name}", type=float, required=True)
    print(json.dumps(uvloop.run(Arrivals(parser.parse_args()).run())))


if __name__ == "__main__":
    main()
