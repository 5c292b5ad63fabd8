"""One run of the generator: requests that come on time whether others are answered or not, beside a stream of refusals.

It runs as a process of its own: a plan comes as JSON on its input, and what was seen goes as JSON into the file that is
named. The plan's
phases follow each other without a pause, each with the requests a second of either stream; a phase may ask ``closed``
instead, by so many connections that each ask again when they are answered.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop

from perf.ladder.clock import Clock
from perf.ladder.connection import Connection

_PATIENCE_SECONDS = 15
_START_SECONDS = 0.2
_DRAWN = 2_000
"""Lists of products that are drawn ahead: to draw a hundred numbers takes longer than to send them."""


class Pool:
    """The connections to one address. ``seen`` has for each request when it was due, the ms it took, and the status."""

    def __init__(self, *, keeps: bool) -> None:
        self.seen: list[tuple[float, float, int]] = []
        self.count = self.outstanding = 0
        self.again: Iterator[bytes] | None = None
        self.over = asyncio.Event()
        self._keeps = keeps
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._free: deque[Connection] = deque()

    async def open(self, address: str, connections: int) -> None:
        """Connect."""
        host, port = address.split(":")
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Connection(self), host, int(port))

    def arrive(self, due: float, request: bytes) -> None:
        """A request is due."""
        self.outstanding += 1
        if self._free:
            self._free.popleft().ask(due, request)
        else:
            self._waiting.append((due, request))

    def ask_again(self, requests: Iterator[bytes] | None, connections: int) -> None:
        """Let so many connections ask ``requests``, one after the other; ``None``: no more."""
        self.again = requests
        if requests is not None:
            for _ in range(connections):
                self.arrive(time.monotonic(), next(requests))

    def ready(self, connection: Connection) -> None:
        """A connection can be asked."""
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._free.append(connection)
            if self.again is not None and self.outstanding < self._asking:
                self.arrive(time.monotonic(), next(self.again))

    @property
    def _asking(self) -> int:
        return len(self._free) + self.outstanding

    def answered(self, due: float, status: int) -> None:
        """The answer is there, or will never be."""
        self.outstanding -= 1
        self.count += 1
        if self._keeps:
            self.seen.append((due, (time.monotonic() - due) * 1000, status))
        if not self.outstanding:
            self.over.set()


class Run:
    """One plan."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.real, self.refused = Pool(keeps=True), Pool(keeps=False)
        self._chance = random.Random(plan["seed"])
        self._requests = self._made()

    def _made(self) -> Iterator[bytes]:
        """Requests of which no two are the same to a cache: each has a variable of its own, which nobody reads."""
        plan, chance = self.plan, self._chance
        drawn = ["%2C".join(str(chance.randint(1, plan["highest"])) for _ in range(plan["ids"])) for _ in range(_DRAWN)]
        heads = [f"{plan['before']}{ids}{plan['between']}".encode() for ids in drawn]
        after, number = plan["after"].encode(), 0
        while True:
            number += 1
            yield b"%s%d%s" % (heads[number % _DRAWN], number, after)

    def _due(self, start: float) -> Iterator[tuple[float, Pool, bytes]]:
        """What is due when, of both streams: Poisson processes with the rates of the phases."""
        refusal = self.plan["refusal"].encode()
        begin = start
        for phase in self.plan["phases"]:
            end = begin + phase["seconds"]
            rate, refusals = phase.get("rate", 0), phase.get("refusals", 0)
            due, share = begin, rate / (rate + refusals) if rate else 0
            while rate + refusals and (due := due + self._chance.expovariate(rate + refusals)) < end:
                if self._chance.random() < share:
                    yield due, self.real, next(self._requests)
                else:
                    yield due, self.refused, refusal
            begin = end

    async def run(self) -> dict[str, Any]:
        """What was seen: moments in seconds since the first phase began."""
        await self.real.open(self.plan["address"], self.plan["connections"])
        if any(phase.get("refusals") for phase in self.plan["phases"]):
            await self.refused.open(self.plan["refusing"], self.plan["connections"])
        start, used = time.monotonic() + _START_SECONDS, time.process_time()
        loop, begin = asyncio.get_running_loop(), start
        for phase in self.plan["phases"]:
            if phase.get("closed"):
                loop.call_at(loop.time() + begin - time.monotonic(), self._close, phase["closed"])
                end = begin + phase["seconds"]
                loop.call_at(loop.time() + end - time.monotonic(), self.real.ask_again, None, 0)
            begin += phase["seconds"]
        await self._let_arrive(self._due(start))
        await asyncio.sleep(begin - time.monotonic())
        cores = (time.process_time() - used) / (time.monotonic() - start)
        for pool in (self.real, self.refused):
            pool.over.clear()
            if pool.outstanding:
                with suppress(TimeoutError):
                    await asyncio.wait_for(pool.over.wait(), _PATIENCE_SECONDS)
        return {
            "seen": [(round(due - start, 5), round(took, 3), status) for due, took, status in self.real.seen],
            "lost": self.real.outstanding,
            "refusals": self.refused.count,
            "cores": round(cores, 3),
        }

    def _close(self, connections: int) -> None:
        self.real.ask_again(self._requests, connections)

    async def _let_arrive(self, schedule: Iterator[tuple[float, Pool, bytes]]) -> None:
        clock, finished = Clock(), asyncio.Event()
        nothing = (math.inf, self.real, b"")
        due, pool, request = next(schedule, nothing)

        def wake() -> None:
            nonlocal due, pool, request
            clock.read()
            now = time.monotonic()
            while due <= now:
                pool.arrive(due, request)
                due, pool, request = next(schedule, nothing)
            if due < math.inf:
                clock.set(due)
            else:
                finished.set()

        if due == math.inf:
            return
        asyncio.get_running_loop().add_reader(clock.file, wake)
        clock.set(due)
        await finished.wait()
        asyncio.get_running_loop().remove_reader(clock.file)


def main() -> None:
    """Run the plan."""
    seen = uvloop.run(Run(json.load(sys.stdin)).run())
    Path(sys.argv[1]).write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
