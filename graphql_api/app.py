"""The application as data: routes, and one lifespan that opens what they need."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.changes.stream import Changes
from graphql_api.connections import Connections
from graphql_api.cors import Cors
from graphql_api.db.engine import Database, open_database
from graphql_api.db.standbys import Standbys
from graphql_api.documents.store import Store
from graphql_api.endpoint import GraphQLEndpoint
from graphql_api.errors import OperatorError
from graphql_api.execution.executor import Executor
from graphql_api.graphiql.page import GraphiQLPage
from graphql_api.instruments import pools
from graphql_api.instruments.instruments import Instruments
from graphql_api.plain_headers import PlainHeaders
from graphql_api.readiness import Readiness
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from graphql_api.telemetry import configure_logging


class Gateway(Starlette):
    """An application that asks ``first`` before its own middleware and routes.

    Each middleware is a coroutine more for every page, and what catches errors a second one: the endpoint tells all of
    its own.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.first: ASGIApp = super().__call__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the routes answer."""
        await self.first(scope, receive, send)


def create_app(settings: Settings) -> Gateway:
    """The gateway on ``settings.database_url``. Nothing is opened before its lifespan.

    Raises ``OperatorError`` without an address of a database.
    """
    if settings.database_url is None:
        raise OperatorError("DATABASE_URL is not set: name a PostgreSQL 15 or newer, or run reviews up.")
    url = settings.database_url
    page = GraphiQLPage(settings.state / "graphiql") if settings.graphiql else None
    executor = Executor(build_schema(suggestions=settings.introspection), settings)
    store = Store(executor.documents, settings)
    for trusted in store.trusted:
        executor.plan_ahead(trusted.document)

    instruments = Instruments(
        settings,
        executions=lambda: (executor.by_plan, executor.by_graphql_core),
        opened=lambda: pools.opened(app.state.database, executor.standbys, executor.unused_connections),
        admitted=lambda: [
            (kind, admission.running, admission.queued)
            for kind, admission in (("read", executor.reads), ("write", executor.writes))
        ],
    )
    instruments.reserve(name for one in store.trusted for name in one.document.operations)
    executor.observer = instruments.observer
    draining = asyncio.Event()
    changes = Changes(url, settings, draining, instruments.changes_told)
    live: tuple[Readiness, Database] | None = None

    def database() -> Database:
        """The open database. Raises ``DatabaseUnavailableError`` until it was usable once."""
        assert live is not None, "requests come after the lifespan has begun"
        readiness, opened = live
        readiness.require()
        return opened

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with open_database(url, settings) as opened, AsyncExitStack() as more:
            app.state.database = opened
            if settings.replica_urls:
                executor.standbys = await more.enter_async_context(Standbys(url, settings))
            await more.enter_async_context(instruments)
            readiness = Readiness(
                url,
                settings,
                draining,
                lambda: executor.warm((one.document for one in store.trusted), opened),
                executor.availability,
            )
            nonlocal live
            live = readiness, opened
            try:
                async with readiness:
                    yield {"draining": draining, "connections": Connections(settings.max_connections)}
            finally:
                draining.set()
                await executor.close()

    async def readyz(_request: Request) -> Response:
        assert live is not None, "requests come after the lifespan has begun"
        reason = await live[0].reason()
        if reason is not None:
            return JSONResponse({"status": "unavailable", "reason": reason}, 503, {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphql", 302)

    routes = [
        Route("/livez", livez, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        *instruments.routes,
        Route("/internal/changes", changes.response, methods=["GET"]),
        Route("/", home, methods=["GET"]),
        *(page.routes if page else []),
    ]
    app = Gateway(routes=routes, middleware=[Middleware(PlainHeaders)], lifespan=lifespan)
    endpoint = GraphQLEndpoint(
        app.first, executor, store, settings, instruments, database=database, page=page.response if page else None
    )
    app.first = _behind_cors(endpoint, settings.cors_origins)
    app.state.executor = executor
    # Set when this replica begins to leave: what streams without end ends then.
    app.state.draining = draining
    # A redirect would name the host that the client named.
    app.router.redirect_slashes = False
    return app


def _behind_cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    return Cors(app, origins) if origins else app


def from_environment() -> ASGIApp:
    """The application of this process's environment: what a server with several workers starts in each.

    What answers first is what the server asks: the gateway itself would be a coroutine more for every page.
    """
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    app = create_app(settings)
    _settle_garbage()
    return app.first


def _settle_garbage() -> None:
    """Leave the schema and the plans out of every search for garbage, and search less often.

    A page makes a thousand objects that die by themselves. By default each 700 start a search, and now and then one
    through all that lives, which is never garbage here. The older generations are searched often enough all the same:
    a parsed document that is let go of is garbage in circles, and 10,000 of them were 35 MB without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 2)
