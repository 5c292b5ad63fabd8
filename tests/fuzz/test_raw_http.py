"""Whatever bytes come, a gateway and an edge answer soundly or close, and go on serving."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import orjson
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from graphql_api.cluster import Cluster
from tests.edge.checking.said import write_line
from tests.edge.test_freshness import edge_of
from tests.fuzz.honest import Requests
from tests.fuzz.kinds import KINDS
from tests.fuzz.logs import Logs
from tests.fuzz.soundness import unsound
from tests.fuzz.wire import PATIENCE_S, Response, exchanged

pytestmark = pytest.mark.fuzz

LEAST_SHARE = 0.2
"""Of what is answered, of errors and of refusals each: bytes that all end at the first gate try nothing behind it."""
EXAMPLES = 10
"""Of each kind of oddity in a pass over all of them."""
LEAST_PASSES = 4
GROWTH_BYTES = 48 * 2**20
"""Caches of documents and answers fill up meanwhile; what is kept of each request would be more."""
MOST_LATER = 1.1
"""Memory after the last pass against that after half of them, when the caches are full."""
# What nginx says of a transfer coding that it does not know and of another HTTP: RFC 9112, 6.1, and RFC 9110, 15.6.6.
HONEST_OF_EDGE = {501, 505}


OUTCOMES = ("answered", "errors", "refused", "closed")
"""How far a request came: to data alone, to errors of GraphQL, not beyond HTTP, or to no answer."""


class Served:
    """A server under test: ``honest`` are statuses of 500 and more that it may say."""

    def __init__(self, address: str, honest: set[int]) -> None:
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.honest = honest
        self.inputs = 0
        self.outcomes = {kind: Counter[str]() for kind in KINDS}
        self.statuses = {kind: Counter[str]() for kind in KINDS}

    def take(self, kind: str, sent: bytes) -> None:
        """Send it, judge what comes back, and see that the next client gets its own answer."""
        responses = exchanged(self.address, sent, head=sent.startswith(b"HEAD"))
        for response in responses:
            found = None if response.status in self.honest else unsound(response)
            assert found is None, f"{found}: {response.body[:300]!r}"
        self.outcomes[kind].update([outcome_of(one) for one in responses] or ["closed"])
        self.statuses[kind].update([str(one.status) for one in responses] or ["closed"])
        self.inputs += 1
        name = b"own%d" % self.inputs
        (own,) = exchanged(
            self.address,
            b"GET /graphql?query=%7B" + name + b":__typename%7D HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n",
            silence_s=PATIENCE_S,
        )
        assert own == Response(200, own.headers, b'{"data":{"' + name + b'":"Query"}}'), own

    def shares(self) -> dict[str, float]:
        """Of all responses, by outcome."""
        total = sum(self.outcomes.values(), Counter[str]())
        return {name: total[name] / total.total() for name in OUTCOMES}

    def table(self) -> str:
        """A line for each kind of oddity: its outcomes, and its statuses."""
        lines = ["  " + "oddity".ljust(20) + "".join(name.rjust(9) for name in OUTCOMES)]
        for kind in KINDS:
            counts = "".join(f"{self.outcomes[kind][name]:9,}" for name in OUTCOMES)
            statuses = " ".join(f"{status}:{count}" for status, count in sorted(self.statuses[kind].items()))
            lines.append(f"  {kind:20}{counts}   {statuses}")
        return "\n".join(lines)


def outcome_of(response: Response) -> str:
    """One of ``OUTCOMES``, but for the last."""
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return "answered" if response.status < 400 else "refused"
    codes = {one["extensions"]["code"] for one in answer.get("errors", [])}
    if "BAD_REQUEST" in codes or (response.status >= 400 and not codes):
        return "refused"
    return "errors" if codes else "answered"


def sent_to(served: Served, kind: str, requests: Requests, number: int) -> None:
    """Send some requests of a kind, other ones for each ``number``."""

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def send(request: bytes) -> None:
        served.take(kind, request)

    send()


def fuzzed(served: Served, first_seed: int, seconds: float, memory: Callable[[], int]) -> list[int]:
    """Send all kinds in turn for the time that is given, and pass over them four times at the least.

    Returns the memory after each pass.
    """
    after: list[int] = []
    began = time.monotonic()
    while len(after) < LEAST_PASSES or time.monotonic() - began < seconds:
        for kind, requests in KINDS.items():
            sent_to(served, kind, requests, first_seed + len(after))
        after.append(memory())
    return after


@pytest.mark.parametrize("through", ["gateway", "edge"])
def test_no_bytes_break_a_server(cluster: Cluster, seconds: float, through: str) -> None:
    (replica,) = cluster.replicas
    if through == "edge":
        served = Served(edge_of(cluster, EDGE_WORKERS="1").listen, HONEST_OF_EDGE)
    else:
        served = Served(replica.address, set())
    logs, process = Logs(cluster), psutil.Process(replica.pid)
    before, began = process.memory_info().rss, time.monotonic()

    after = fuzzed(served, 1000 if through == "edge" else 1, seconds, lambda: process.memory_info().rss)

    took, half = time.monotonic() - began, after[len(after) // 2 - 1]
    sizes = " ".join(f"{size / 2**20:.0f}" for size in (before, half, after[-1]))
    shares = ", ".join(f"{share:.0%} {name}" for name, share in served.shares().items())
    write_line(
        f"\nraw HTTP, {through}: {served.inputs:,} inputs, {took:.0f} s, {shares}, {sizes} MiB before, at half and at"
        f" the end, 0 findings\n{served.table()}"
    )
    assert logs.faults() == []
    assert after[-1] - before < GROWTH_BYTES
    assert after[-1] < half * MOST_LATER
    assert min(served.shares()[name] for name in OUTCOMES[:3]) > LEAST_SHARE
