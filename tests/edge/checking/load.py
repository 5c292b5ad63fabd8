"""A mixed load on one or several edges, every answer of which is checked against what was acknowledged."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql_api.schema.identity import encode
from tests.edge.checking.client import Connection, Response, get, post
from tests.edge.checking.questions import DOCUMENTS, HASHES, Asker, Question
from tests.edge.checking.world import Shown, World

ADD = "mutation Add($input: AddReviewInput!) { addReview(input: $input) { review { id } userErrors { code } } }"
VOTE = (
    "mutation Vote($input: MarkReviewHelpfulInput!)"
    " { markReviewHelpful(input: $input) { review { helpfulness } userErrors { code } } }"
)
REPORT = "mutation Report($input: ReportReviewInput!) { reportReview(input: $input) { deletedReviewId } }"
_ID = re.compile(rb'"review":{"id":"([^"]+)"')
_MOST_TOLD = 20


@dataclass
class Findings:
    """What a load has shown. ``told`` describes the first of what should not be."""

    reads: int = 0
    writes: int = 0
    stale: int = 0
    wrong: int = 0
    errors: int = 0
    failed_writes: int = 0
    states: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
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
    """``edges`` are addresses. ``forgiving``: a read that gets 503 with Retry-After is no error, as in an outage.

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
        pause_s: float = 0.0,
    ) -> None:
        self.world = world
        self.findings = Findings()
        self.forgiving = forgiving
        self.good_reads: list[float] | None = None
        """When set, the moments of reads that were answered."""
        self.refusals_s: list[float] = []
        """How long each 503 took."""
        self._edges = [(host, int(port)) for host, port in (edge.rsplit(":", 1) for edge in edges)]
        self._writes = writes
        self._pause_s = pause_s
        self._random = random.Random(seed)
        self._asker = Asker(world, seed)
        self._stop = False
        self._keys = itertools.count()

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
        return self.findings

    async def _client(self, edge: int, reads: int | None) -> None:
        connection = Connection(self._edges[edge])
        try:
            while not self._stop and (reads is None or self.findings.reads < reads):
                if self._random.random() < self._writes:
                    await self._write(connection, edge)
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
        if answer.status == 503 and self.forgiving and b"retry-after" in answer.head.lower():
            return
        if answer.status != 200 or b'"errors"' in answer.body:
            findings.errors += 1
            findings.tell(f"{question.name}: {answer.status} {answer.body[:200]!r}")
            return
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

    async def _write(self, connection: Connection, edge: int) -> None:
        product = self._asker.product()
        draw = self._random.random()
        self.findings.writes += 1
        try:
            if draw < 0.5:
                await self._vote(connection, edge, product)
            elif draw < 0.85 or not self.world.reportable:
                await self._add(connection, edge, product)
            else:
                await self._report(connection, edge)
        except OSError as error:
            self._failed(repr(error))
            await asyncio.sleep(0.01)

    def _failed(self, why: str) -> None:
        self.findings.failed_writes += 1
        self.findings.tell(f"a write: {why}")

    async def _sent(self, connection: Connection, query: str, input_: dict[str, Any]) -> Response | None:
        body = json.dumps({"query": query, "variables": {"input": input_}}).encode()
        key = f"Idempotency-Key: check-{id(self)}-{next(self._keys)}"
        answer = await connection.ask(post(body, [key] if query is ADD else []))
        if answer.status != 200 or b'"errors"' in answer.body:
            self._failed(f"{answer.status} {answer.body[:200]!r}")
            return None
        return answer

    async def _vote(self, connection: Connection, edge: int, product: Shown) -> None:
        product.votes.begun_up += 1
        if await self._sent(connection, VOTE, {"reviewId": str(product.voted)}) is not None:
            product.votes.up[edge] += 1

    async def _add(self, connection: Connection, edge: int, product: Shown) -> None:
        product.count.begun_up += 1
        answer = await self._sent(connection, ADD, _review_of(product))
        if answer is None:
            return
        found = _ID.search(answer.body)
        if found is None:
            self._failed(repr(answer.body[:200]))
            return
        padded = found[1] + b"=" * (-len(found[1]) % 4)
        number = int(base64.urlsafe_b64decode(padded).rsplit(b":", 1)[1])
        product.count.up[edge] += 1
        self.world.newest = max(self.world.newest, number)
        self.world.added[edge].add(number)
        self.world.reportable.append((product, number))

    async def _report(self, connection: Connection, edge: int) -> None:
        product, number = self.world.reportable.pop()
        # From now on it may be gone, for everyone.
        for added in self.world.added:
            added.discard(number)
        product.count.begun_down += 1
        if await self._sent(connection, REPORT, {"reviewId": encode("Review", product.number, number)}) is not None:
            product.count.down[edge] += 1


def _review_of(product: Shown) -> dict[str, Any]:
    return {
        "productId": str(product.number),
        "rating": 4,
        "summary": "Checked",
        "body": "Long enough to be a review that the gateway takes as one, and no longer.",
        "recommended": True,
        "reviewerName": "checker",
        "reviewerEmail": "checker@example.com",
        "characteristics": [{"characteristicId": str(number), "value": 5} for number in product.characteristics],
    }


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
