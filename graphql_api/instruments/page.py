"""``/metrics``: what Prometheus scrapes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from graphql_api.instruments.workers import Collected


class MetricsPage:
    """The figures in the form that the scraper asks for: Prometheus' text, or OpenMetrics."""

    def __init__(self, collected: Collected) -> None:
        # Its own: the default one has figures of one process only, whichever the scrape reaches.
        self._registry = CollectorRegistry()
        self._registry.register(collected)

    async def response(self, request: Request) -> Response:
        """The answer to a scrape."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})
