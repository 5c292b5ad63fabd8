"""Two gateways in this process on one database: one that compiles operations, one that is the reference."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from graphql_api.app import create_app
from graphql_api.execution.executor import Executor
from graphql_api.settings import Settings
from tests.execution.comparing import Reply
from tests.harness.queries.cases import Case

EXECUTIONS = ("compiled", "reference")


@dataclass(frozen=True)
class Sides:
    """Clients of both, compiled first, and what runs the compiled one's operations."""

    clients: tuple[httpx.AsyncClient, httpx.AsyncClient]
    executor: Executor

    async def replies(self, cases: Sequence[Case]) -> list[tuple[Reply, Reply]]:
        """Both answers to each case. All cases are asked at once, so that their loads may meet in one statement."""
        ids = [uuid.uuid4().hex for _ in cases]
        compiled, reference = [
            await asyncio.gather(*(_reply(client, case, id_) for case, id_ in zip(cases, ids, strict=True)))
            for client in self.clients
        ]
        return list(zip(compiled, reference, strict=True))

    async def data(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The reference's data, of an answer without errors."""
        reply = await _reply(self.clients[1], Case(query, variables, None), uuid.uuid4().hex)
        assert "errors" not in reply.body, reply.body["errors"]
        data: dict[str, Any] = reply.body["data"]
        return data


@asynccontextmanager
async def running_sides(settings: Settings) -> AsyncIterator[Sides]:
    """Both, in the running event loop."""
    async with AsyncExitStack() as stack:
        clients, executors = [], []
        for execution in EXECUTIONS:
            app = create_app(replace(settings, execution=execution, mutation_rate=0, document_rate=0))
            executors.append(app.state.executor)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app)
            clients.append(
                await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://gateway"))
            )
        yield Sides((clients[0], clients[1]), executors[0])


async def _reply(client: httpx.AsyncClient, case: Case, request_id: str) -> Reply:
    try:
        return await _asked(client, case, request_id)
    except (Exception, asyncio.CancelledError) as error:
        raise AssertionError(f"the gateway raised {error!r}, asked: {case}") from error


async def _asked(client: httpx.AsyncClient, case: Case, request_id: str) -> Reply:
    body: dict[str, Any] = {"query": case.text, "variables": case.variables, "operationName": case.operation_name}
    sha256 = hashlib.sha256(case.text.encode()).hexdigest()
    # A plan of a document that a hash stands for lets PostgreSQL write pages: every other one is to be registered.
    if int(sha256, 16) % 2:
        body["extensions"] = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    response = await client.post(
        "/graphql",
        json=body,
        headers={"Accept": "application/graphql-response+json", "X-Request-Id": request_id},
    )
    answered: dict[str, Any] = response.json()
    for error in answered.get("errors", ()):
        # Both were sent the same: what names another request is a difference.
        assert error["extensions"].get("requestId", request_id) == request_id, error
    return Reply(response.status_code, answered)
