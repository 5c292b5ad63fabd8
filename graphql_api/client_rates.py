"""A client that asks too often is refused before anything of its request is parsed, looked up or run."""

from __future__ import annotations

import math
import time

from starlette.types import Scope

from graphql_api.http_error import HttpError
from graphql_api.limits.clients import Clients
from graphql_api.limits.rates import Rate
from graphql_api.settings import Settings


class ClientRates:
    """Counts by client what costs more than a read by a known document. Raises ``HttpError`` 429 beyond a rate."""

    def __init__(self, settings: Settings) -> None:
        self._clients = Clients(settings.trusted_proxies)
        self._mutations = Rate(settings.mutation_rate)
        self._unknown_documents = Rate(settings.document_rate)

    def client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Whom a request is counted for."""
        peer = scope.get("client")
        return self._clients.of(peer[0] if peer else None, headers.get(b"x-forwarded-for"))

    def mutation(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """One more mutation."""
        self._count(self._mutations, "mutations", scope, headers)

    def unknown_document(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """One more document that must be parsed, or looked up in the database."""
        self._count(self._unknown_documents, "documents that this server does not know", scope, headers)

    def _count(self, rate: Rate, counted: str, scope: Scope, headers: dict[bytes, bytes]) -> None:
        wait_s = rate.wait_s(self.client(scope, headers), time.monotonic())
        if wait_s:
            raise HttpError(
                429,
                f"Too many {counted} came from your address: ask again later.",
                code="THROTTLED",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
