"""What it takes to count one request, without the request: ours, and the same numbers by prometheus-client."""

from __future__ import annotations

import timeit
from collections import Counter as Counted

from prometheus_client import CollectorRegistry, Counter, Histogram

from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Documents
from graphql_api.instruments.figures import KEYS, SECONDS, WAIT_SECONDS
from graphql_api.instruments.instruments import Instruments
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from loaders.observer import Batch
from perf.servers import document

_TIMES, _ROUNDS = 20_000, 7


def microseconds() -> dict[str, float]:
    """The best of several rounds, each for a request with a persisted document and two batches of its own.

    Under load dozens of requests share a batch, and its part with it.
    """
    return {"ours": _best(_ours()), "by prometheus-client": _best(_theirs())}


def _best(count: object) -> float:
    assert callable(count)
    return round(min(timeit.repeat(count, number=_TIMES, repeat=_ROUNDS)) / _TIMES * 1e6, 2)


def _ours() -> object:
    settings = Settings()
    instruments = Instruments(settings, executions=lambda: (0, Counted()), opened=list, admitted=list)
    found = Documents(build_schema(), settings).of(document("ProductPage"))
    assert not isinstance(found, Answer), "it is one of the front end's"
    (operation,) = found.operations.values()
    batches = [Batch(name, 8, 1.0, 1.001, 1.002) for name in ("ProductsById", "ReviewPages")]

    def count() -> None:
        observed = instruments.begin("5f1c5f1c5f1c", {})
        assert observed is not None
        instruments.document(observed, "known", found)
        observed.operation, observed.cost = operation, 71
        for batch in batches:
            observed.batches.append((1.0, batch))
            instruments.batch(batch, (observed,))
            instruments.statement(batch.loader, 0.001)
        instruments.ended(observed, "ok", None)
        instruments.tags_sent(1)

    return count


def _theirs() -> object:
    registry = CollectorRegistry()
    loader = {"labelnames": ("loader",), "registry": registry}
    keys = Histogram("keys", "Keys.", buckets=KEYS, **loader)
    waits = Histogram("waits", "Waits.", buckets=WAIT_SECONDS, **loader)
    statements = Histogram("statements", "Statements.", buckets=SECONDS, **loader)
    requests = Counter("requests", "Requests.", ("operation", "outcome"), registry=registry).labels("ProductPage", "ok")
    seconds = Histogram("seconds", "Seconds.", ("operation",), buckets=SECONDS, registry=registry).labels("ProductPage")
    known = Counter("documents", "Documents.", ("result",), registry=registry).labels("known")
    tags = Counter("tags", "Tags.", registry=registry)
    by_loader = [[one.labels(name) for one in (keys, waits, statements)] for name in ("ProductsById", "ReviewPages")]

    def count() -> None:
        known.inc()
        for of_keys, of_waits, of_statements in by_loader:
            of_keys.observe(8)
            of_waits.observe(0.001)
            of_statements.observe(0.001)
        requests.inc()
        seconds.observe(0.002)
        tags.inc()

    return count
