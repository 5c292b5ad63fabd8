"""Every figure that ``/metrics`` tells. Dashboards and alerts go by the names: docs/observability.md lists them."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Callable, Iterator
from typing import NamedTuple

from graphql_api.instruments.families import Counter, CounterOf, Distribution, Family, Gauge, Histogram, Rows
from graphql_api.instruments.operations import OTHER, Operations
from loaders.observer import Batch

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAIT_SECONDS = (0.0001, 0.00025, *SECONDS)
KEYS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
DOCUMENTS = ("known", "found", "missed", "registered", "text")
PLAN = "plan"
REASONS = frozenset(
    {
        "reference",
        "several mutations",
        "variables",
        "arguments",
        "resolver",
        "introspection",
        "too deep",
        "too large",
        "too many conditions",
        "error",
        "database",
        "failure",
    }
)
"""Why graphql-core runs an operation. Any other word is counted as ``other``."""
CODES = frozenset(
    {
        "BAD_REQUEST",
        "BAD_USER_INPUT",
        "COST_LIMIT_EXCEEDED",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "OVERLOADED",
        "PERSISTED_QUERY_NOT_FOUND",
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "SERVICE_UNAVAILABLE",
        "THROTTLED",
        "TIMEOUT",
    }
)
"""What a refusal is for. Any other code is counted as ``other``."""


class LoaderFigures(NamedTuple):
    """The cells of one loader."""

    keys: Distribution
    waits: Distribution
    statements: Distribution


class Figures:
    """The families of one process, and the cells that are counted in often.

    ``executions`` gives what ran how many operations, ``pools`` the connections by pool and state, ``waiting`` by pool
    how many wait for one; ``running`` and ``queued`` the requests that are let in and that wait for it, by kind.
    """

    def __init__(
        self,
        *,
        executions: Callable[[], tuple[int, Counted[str]]],
        connections: Callable[[], Rows],
        waiting: Callable[[], Rows],
        running: Callable[[], Rows],
        queued: Callable[[], Rows],
    ) -> None:
        requests = Counter("reviews_requests_total", "GraphQL requests that were answered.", "operation", "outcome")
        seconds = Histogram(
            "reviews_request_seconds", "From a request's head to its answer, in seconds.", SECONDS, "operation"
        )
        documents = Counter("reviews_documents_total", "How the documents of requests were come by.", "result")
        self._refusals = Counter("reviews_refusals_total", "Requests refused with a code.", "code")
        self._keys = Histogram("reviews_batch_keys", "Keys of one batch.", KEYS, "loader")
        self._waits = Histogram(
            "reviews_batch_wait_seconds", "From the first key of a batch to its beginning.", WAIT_SECONDS, "loader"
        )
        self._statements = Histogram(
            "reviews_statement_seconds", "One statement, without the wait for its connection.", SECONDS, "loader"
        )
        tags = Counter("reviews_tags_total", "Tags sent with answers that an edge may keep.")
        changes = Counter("reviews_changes_total", "Changes told to edges, once for each edge.")
        lag = Histogram(
            "reviews_changes_lag_seconds", "From the look that found changes until they were sent.", SECONDS
        )
        self.families: list[Family] = [
            requests,
            seconds,
            documents,
            CounterOf(
                "reviews_executions_total",
                "Operations by what ran them: a plan, or graphql-core for that reason.",
                "by",
                lambda: _executions(*executions()),
            ),
            self._keys,
            self._waits,
            self._statements,
            Gauge("reviews_pool_connections", "Connections to the database.", ("pool", "state"), connections),
            Gauge("reviews_pool_waiting", "Who waits for a connection to the database.", ("pool",), waiting),
            Gauge("reviews_requests_running", "Requests that are let in.", ("kind",), running),
            Gauge("reviews_requests_queued", "Requests that wait to be let in.", ("kind",), queued),
            tags,
            changes,
            lag,
            self._refusals,
        ]
        self.operations = Operations(requests, seconds)
        self._loaders: dict[str, LoaderFigures] = {}
        self.documents = {result: documents.cell(result) for result in DOCUMENTS}
        self.tags = tags.cell()
        self._changes = changes.cell()
        self._lag = lag.cell()

    def refused(self, code: str) -> None:
        """A request was refused."""
        self._refusals.cell(code if code in CODES else OTHER).value += 1

    def batch(self, batch: Batch) -> None:
        """A batch has ended."""
        figures = self._loaders.get(batch.loader) or self._of_loader(batch.loader)
        figures.keys.observe(batch.keys)
        figures.waits.observe(batch.began - batch.asked)

    def statement(self, loader: str, seconds: float) -> None:
        """A statement has ended."""
        (self._loaders.get(loader) or self._of_loader(loader)).statements.observe(seconds)

    def _of_loader(self, loader: str) -> LoaderFigures:
        """The cells of a loader that is new here; there are as many as classes of them."""
        made = LoaderFigures(self._keys.cell(loader), self._waits.cell(loader), self._statements.cell(loader))
        self._loaders[loader] = made
        return made

    def changes_told(self, count: int, seconds: float) -> None:
        """So many changes, found by one look, were sent so long after it began."""
        self._changes.value += count
        self._lag.observe(seconds)


def _executions(by_plan: int, by_graphql_core: Counted[str]) -> Iterator[tuple[str, int]]:
    counted = Counted({PLAN: by_plan})
    for reason, count in by_graphql_core.items():
        counted[reason if reason in REASONS else OTHER] += count
    yield from counted.items()
