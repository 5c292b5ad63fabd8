"""What watches requests and loaders: figures, log lines, timings, traces, each of it only where it is switched on."""

from __future__ import annotations

import logging
from collections import Counter as Counted
from collections.abc import Callable, Iterable
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from starlette.routing import Route

from graphql_api.instruments import pools
from graphql_api.instruments.figures import Figures
from graphql_api.instruments.lines import tell_request, tell_slow
from graphql_api.instruments.observation import Noted, Observation
from graphql_api.instruments.page import MetricsPage
from graphql_api.instruments.pools import Pool
from graphql_api.instruments.timing import server_timing
from graphql_api.instruments.workers import Collected
from graphql_api.settings import Settings
from loaders.observer import Asker, Batch, Observer

if TYPE_CHECKING:
    from graphql_api.instruments.tracing import Tracing

logger = logging.getLogger("reviews")


class Instruments:
    """Made once; open for the time of its context. ``figures`` and ``page`` are ``None`` without metrics.

    ``executions`` gives what ran how many operations, ``opened`` the pools of connections, ``admitted`` by kind how
    many requests run and how many wait.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        executions: Callable[[], tuple[int, Counted[str]]],
        opened: Callable[[], Iterable[Pool]],
        admitted: Callable[[], Iterable[tuple[str, int, int]]],
    ) -> None:
        self.figures: Figures | None = None
        self.page: MetricsPage | None = None
        self._collected: Collected | None = None
        if settings.metrics:
            self.figures = Figures(
                executions=executions,
                connections=lambda: pools.connections(opened()),
                waiting=lambda: pools.waiting(opened()),
                running=lambda: {(kind,): [running] for kind, running, _ in admitted()},
                queued=lambda: {(kind,): [queued] for kind, _, queued in admitted()},
            )
            self._collected = Collected(self.figures.families, settings.metrics_folder)
            self.page = MetricsPage(self._collected)
        self._tracing = _tracing(settings)
        self._slow_s = settings.slow_ms / 1000
        self._log_requests = settings.log_requests
        self._server_timing = settings.server_timing
        self._is_on = bool(
            settings.metrics or self._tracing or self._slow_s or self._log_requests or self._server_timing
        )

    def reserve(self, operations: Iterable[str | None]) -> None:
        """Give the operations of these names figures of their own, before anybody else's take the room."""
        if self.figures is not None:
            self.figures.operations.reserve(operations)

    @property
    def routes(self) -> list[Route]:
        """Where the figures are told."""
        return [] if self.page is None else [Route("/metrics", self.page.response, methods=["GET"])]

    @property
    def observer(self) -> Observer | None:
        """What the loaders tell, if anybody wants to hear it."""
        return self if self.figures or self._tracing else None

    async def __aenter__(self) -> Self:
        """Open them."""
        if self._collected is not None:
            await self._collected.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last counts, and send the last spans."""
        if self._collected is not None:
            await self._collected.__aexit__(kind, error, trace)
        if self._tracing is not None:
            await self._tracing.close()

    def begin(self, request_id: str, headers: dict[bytes, bytes]) -> Observation | None:
        """What is noted of a request from now on; ``None`` where nothing is switched on."""
        if not self._is_on:
            return None
        observed = Observation(request_id, perf_counter())
        if self._tracing is not None:
            observed.span = self._tracing.begin(headers)
        return observed

    def document(
        self, observed: Observation | None, result: str, document: Noted | None, *, is_ad_hoc: bool = False
    ) -> None:
        """How a request's document was come by: one of ``figures.DOCUMENTS``."""
        if observed is None:
            return
        observed.document = document
        observed.is_ad_hoc = is_ad_hoc
        if self.figures is not None:
            self.figures.documents[result].value += 1

    def ended(self, observed: Observation | None, outcome: str, code: str | None) -> bytes:
        """A request's answer is about to be sent, with these header lines more. ``code``: what it was refused for."""
        if observed is None:
            return b""
        now = perf_counter()
        seconds = now - observed.begun
        if self.figures is not None:
            self.figures.operations.of(observed).ended(outcome, seconds)
            if code is not None:
                self.figures.refused(code)
        if self._slow_s and seconds >= self._slow_s:
            tell_slow(observed, outcome, seconds)
        if self._log_requests:
            tell_request(observed, outcome, seconds)
        if self._tracing is not None:
            self._tracing.ended(observed, outcome)
        return b"server-timing: %b\r\n" % server_timing(observed, now) if self._server_timing else b""

    def tags_sent(self, count: int) -> None:
        """An answer went out that an edge may keep by so many tags."""
        if self.figures is not None:
            self.figures.tags.value += count

    def changes_told(self, count: int, seconds: float) -> None:
        """So many changes, found by one look, were sent so long after it began."""
        if self.figures is not None:
            self.figures.changes_told(count, seconds)

    def batch(self, batch: Batch, askers: Iterable[Asker | None]) -> None:
        """A batch has ended, with values or an error, and had keys of ``askers``."""
        if self.figures is not None:
            self.figures.batch(batch)
        if self._tracing is not None:
            self._tracing.batch(batch, [asker.span for asker in askers if isinstance(asker, Observation)])

    def statement(self, loader: str, seconds: float) -> None:
        """A statement has ended, with rows."""
        if self.figures is not None:
            self.figures.statement(loader, seconds)


def _tracing(settings: Settings) -> Tracing | None:
    if not (settings.otlp_endpoint or settings.otlp_traces_endpoint):
        return None
    try:
        from graphql_api.instruments.tracing import Tracing  # noqa: PLC0415 - it takes 0.2 s, and packages not everybody has
    except ModuleNotFoundError as error:
        logger.warning("No traces are sent: %s is not installed; the extra otel brings it.", error.name)
        return None
    return Tracing(settings)
