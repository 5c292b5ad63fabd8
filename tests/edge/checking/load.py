"""A mixed load on one or several edges, every answer of which is checked against what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.edge.checking import writes
from tests.edge.checking.client import Connection, Response, get, post
from tests.edge.checking.honesty import codes_of, is_honest
from tests.edge.checking.questions import DOCUMENTS, HASHES, Asker, Question
from tests.edge.checking.world import World
from tests.edge.checking.writes import Write

_MOST_TOLD = 20
_FINISH_S = 20.0


@dataclass
class Findings:
    """What a load has shown. ``told`` describes the first of what should not be."""

    reads: int = 0
    writes: int = 0
    stale: int = 0
    wrong: int = 0
    errors: int = 0
    failed_writes: int = 0
    acknowledged: int = 0
    unfinished: int = 0
    states: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def tell(self, text: str) -> None:
        """Keep a sentence about what should not be."""
        if len(self.told) < _MOST_TOLD:
            self.told.append(text)

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return {
            "reads": self.reads,
            "writes": self.writes,
            "stale": self.stale,
            "wrong": self.wrong,
            "errors": self.errors,
            "failed_writes": self.failed_writes,
            "reads_a_second": round(self.reads / self.seconds) if self.seconds else 0,
            "states": dict(self.states),
            "statuses": dict(self.statuses),
            "told": self.told,
        }


class Load:
    """``edges`` are addresses. ``forgiving``: what says honestly that a part is away is no error, as in an outage.

    ``retrying``: a write that failed is sent again, under its key, until it is acknowledged; votes have voters then.
    Each connection waits ``pause_s`` between two requests: without, they take all that the machine has.
    """

    def __init__(
        self,
        world: World,
        edges: Sequence[str],
        *,
        seed: int = 1,
        writes: float = 0.05,
        forgiving: bool = False,
        retrying: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self.world = world
        self.findings = Findings()
        self.forgiving = forgiving
        self.good_reads: list[float] | None = None
        """When set, the moments of reads that were answered."""
        self.read_at = 0.0
        """When a replica last answered a read well."""
        self.wrote_at = 0.0
        """When a write was last acknowledged."""
        self.failed_at = 0.0
        """When something last failed."""
        self.refusals_s: list[float] = []
        """How long each 503 took."""
        self._edges = [(host, int(port)) for host, port in (edge.rsplit(":", 1) for edge in edges)]
        self._writes = writes
        self._retrying = retrying
        self._unfinished: list[Write] = []
        self._pause_s = pause_s
        self._random = random.Random(seed)
        self._asker = Asker(world, seed)
        self._stop = False
        self._keys = (f"check-{id(self)}-{n}" for n in itertools.count())

    async def register(self) -> None:
        """Make the checker's documents known to the gateway."""
        connection = Connection(self._edges[0])
        for name, text in DOCUMENTS.items():
            hashed = {"persistedQuery": {"version": 1, "sha256Hash": HASHES[name]}}
            body = json.dumps({"query": text, "extensions": hashed, "variables": _any_variables(name)}).encode()
            answer = await connection.ask(post(body))
            assert answer.status == 200, answer
            assert b'"errors"' not in answer.body, answer.body
        await connection.close()

    def stop(self) -> None:
        """End the load; requests under way are finished."""
        self._stop = True

    async def run(self, reads: int | None = None, connections: int = 48) -> Findings:
        """Load until so many reads were checked, or ``stop`` is called."""
        started = time.monotonic()
        await asyncio.gather(*(self._client(n % len(self._edges), reads) for n in range(connections)))
        self.findings.seconds += time.monotonic() - started
        await self._finish()
        return self.findings

    async def _finish(self) -> None:
        """Send again what was not acknowledged, for a bounded time."""
        connection = Connection(self._edges[0])
        until = time.monotonic() + _FINISH_S
        while self._unfinished and time.monotonic() < until:
            await self._write(connection, 0, self._unfinished.pop(0))
        await connection.close()
        self.findings.unfinished = len(self._unfinished)

    async def _client(self, edge: int, reads: int | None) -> None:
        connection = Connection(self._edges[edge])
        try:
            while not self._stop and (reads is None or self.findings.reads < reads):
                if self._random.random() < self._writes:
                    await self._write(connection, edge, self._next_write())
                else:
                    await self._read(connection, edge)
                if self._pause_s:
                    await asyncio.sleep(self._pause_s)
        finally:
            await connection.close()

    async def _read(self, connection: Connection, edge: int) -> None:
        findings = self.findings
        question = self._asker.question(edge)
        sent = time.monotonic()
        try:
            answer = await connection.ask(question.request, slowly=question.name == "Long")
        except OSError as error:
            findings.reads += 1
            findings.errors += 1
            self.failed_at = time.monotonic()
            findings.tell(f"{question.name}: {error!r}")
            await asyncio.sleep(0.01)
            return
        findings.reads += 1
        findings.states[answer.state.decode() or "none"] += 1
        findings.statuses[answer.status] += 1
        if answer.status == 503:
            self.refusals_s.append(time.monotonic() - sent)
        self._judge(question, answer, edge)

    def _judge(self, question: Question, answer: Response, edge: int) -> None:
        findings = self.findings
        if answer.status != 200 or b'"errors"' in answer.body:
            self._note(answer)
            if self.forgiving and is_honest(answer):
                return
            findings.errors += 1
            findings.tell(f"{question.name}: {answer.status} {answer.body[:200]!r}")
            return
        if answer.state != b"HIT":
            self.read_at = time.monotonic()
        if self.good_reads is not None:
            self.good_reads.append(time.monotonic())
        if question.number is not None:
            # Unless its report has begun meanwhile.
            is_there = question.must_be_found and question.number in self.world.added[edge]
            if is_there and b'"review":null' in answer.body:
                findings.stale += 1
                findings.tell(f"Number {question.number}: acknowledged and not found, {answer.state!r}")
            return
        try:
            for claim, value in question.values(answer.body):
                if claim.quantity.is_stale(value, claim.seen):
                    findings.stale += 1
                    findings.tell(f"{question.name}: {value}, {claim}, {answer.state!r}")
                    break
        except ValueError as error:
            findings.wrong += 1
            findings.tell(f"{error}: {answer.body[:200]!r}")

    def _note(self, answer: Response) -> None:
        self.findings.codes.update(codes_of(answer))
        self.failed_at = time.monotonic()

    def _next_write(self) -> Write:
        """One that begins, or one that is to be sent again."""
        if self._unfinished and self._random.random() < 0.5:
            return self._unfinished.pop(0)
        product, draw, key = self._asker.product(), self._random.random(), next(self._keys)
        if draw < 0.5:
            return writes.vote(product, key, voter=self._retrying)
        if draw < 0.85 or not self.world.reportable:
            return writes.addition(product, key)
        return writes.report(self.world, key)

    async def _write(self, connection: Connection, edge: int, write: Write) -> None:
        self.findings.writes += 1
        try:
            answer = await connection.ask(write.request)
        except OSError as error:
            self.failed_at = time.monotonic()
            self._failed(write, repr(error), honest=False)
            await asyncio.sleep(0.01)
            return
        if answer.status != 200 or b'"errors"' in answer.body:
            self._note(answer)
            self._failed(write, f"{answer.status} {answer.body[:200]!r}", honest=is_honest(answer))
        elif write.acknowledge(answer, self.world, edge):
            self.findings.acknowledged += 1
            self.wrote_at = time.monotonic()
        else:
            self._failed(write, repr(answer.body[:200]), honest=False)

    def _failed(self, write: Write, why: str, *, honest: bool) -> None:
        self.findings.failed_writes += 1
        if not honest or not self.forgiving:
            self.findings.tell(f"a write: {why}")
        if self._retrying:
            self._unfinished.append(write)
            self.findings.errors += not honest


def _any_variables(name: str) -> dict[str, Any]:
    return {
        "Page": {"id": "1", "voted": "1"},
        "Totals": {"id": "1"},
        "Long": {"id": "1"},
        "Cards": {"ids": ["1"]},
        "Nodes": {"ids": []},
        "Review": {"id": "1"},
    }.get(name, {})


async def first_good_read(address: str, path: str, patience_s: float) -> float:
    """Seconds until ``path`` is answered with 200 and no errors."""
    started = time.monotonic()
    host, port = address.rsplit(":", 1)
    while time.monotonic() - started < patience_s:
        connection = Connection((host, int(port)))
        try:
            answer = await connection.ask(get(path))
            if answer.status == 200 and b'"errors"' not in answer.body:
                return time.monotonic() - started
        except OSError:
            pass
        finally:
            await connection.close()
        await asyncio.sleep(0.01)
    raise TimeoutError(f"no good read within {patience_s:g} s")
