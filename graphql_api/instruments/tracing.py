"""Traces by OpenTelemetry: a span an operation, and one a batch, linked to the operations that it had keys of.

Needs the extra ``otel``. What else can be set, such as a sampler or headers, the SDK takes from its own variables.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from graphql_api.instruments.observation import Observation
from graphql_api.instruments.operations import name_of
from graphql_api.settings import Settings
from loaders.observer import Batch

CLOSE_SECONDS = 3
"""A collector that is away holds nobody up for longer when the gateway leaves."""
_FAILED = frozenset({"error", "unavailable", "failed"})
_NOTHING = Context()


class Tracing:
    """Sends spans to the collector that ``settings`` name, by a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        endpoint = settings.otlp_traces_endpoint or f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
        named = Resource({"service.name": "reviews-gateway"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("reviews")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, headers: dict[bytes, bytes]) -> Span:
        """The span of a request that begins, in the trace that its headers name or in one of its own."""
        context = _NOTHING
        if b"traceparent" in headers:
            sent = {name: headers.get(name.encode(), b"").decode("latin-1") for name in ("traceparent", "tracestate")}
            context = self._propagator.extract(sent, _NOTHING)
        return self._tracer.start_span("GraphQL", context, SpanKind.SERVER)

    def ended(self, observed: Observation, outcome: str) -> None:
        """The request of ``observed`` has ended."""
        span: Span = observed.span
        if span.is_recording():
            if observed.operation is not None:
                kind, name = observed.operation.operation.value, name_of(observed.operation)
                # A name of anybody's choice would make spans that nobody can group.
                span.update_name(f"{kind} {name}" if name and not observed.is_ad_hoc else kind)
                span.set_attribute("graphql.operation.type", kind)
                if name:
                    span.set_attribute("graphql.operation.name", name)
            if observed.document is not None:
                span.set_attribute("graphql.document.hash", observed.document.sha256)
            if observed.cost is not None:
                span.set_attribute("reviews.cost", observed.cost)
            span.set_attribute("reviews.outcome", outcome)
            span.set_attribute("reviews.request_id", observed.request_id)
            if outcome in _FAILED:
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def batch(self, batch: Batch, spans: Iterable[Span]) -> None:
        """A batch has ended that had keys of the operations of ``spans``.

        It lies in the trace of the first that is sampled, so that a sampler decides on both alike.
        """
        sampled = [span for span in spans if span.is_recording()]
        if not sampled:
            return
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"load {batch.loader}",
            set_span_in_context(sampled[0], _NOTHING),
            SpanKind.CLIENT,
            {"db.system": "postgresql", "reviews.loader": batch.loader, "reviews.batch.keys": batch.keys},
            [Link(one.get_span_context()) for one in sampled],
            start_time=ended - int((batch.ended - batch.began) * 1e9),
        )
        span.end(ended)

    async def close(self) -> None:
        """Send what is left."""
        # A daemon, unlike a worker of the loop's pool: those are waited for without end.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)
