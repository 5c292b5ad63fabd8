"""The application as data: routes, and one lifespan that opens what they need."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from graphql_api.db.engine import Database, open_database
from graphql_api.endpoint import GraphQLEndpoint
from graphql_api.errors import DatabaseUnavailableError, OperatorError
from graphql_api.execution.executor import Executor
from graphql_api.graphiql.page import GraphiQLPage
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from graphql_api.telemetry import configure_logging


def create_app(settings: Settings) -> Starlette:
    """The gateway on ``settings.database_url``. Nothing is opened before its lifespan.

    Raises ``OperatorError`` without an address of a database.
    """
    if settings.database_url is None:
        raise OperatorError("DATABASE_URL is not set: name a PostgreSQL 15 or newer, or run reviews up.")
    url = settings.database_url
    page = GraphiQLPage(settings.state / "graphiql") if settings.graphiql else None
    executor = Executor(build_schema(suggestions=settings.introspection), settings)

    def database() -> Database:
        opened: Database = app.state.database
        return opened

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_database(url, settings) as opened:
            app.state.database = opened
            yield

    async def readyz(_request: Request) -> Response:
        try:
            await database().check()
        except DatabaseUnavailableError as error:
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503, {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphql", 302)

    endpoint = GraphQLEndpoint(executor, settings, database=database, page=page.response if page else None)
    routes = [
        Route("/graphql", endpoint),
        Route("/livez", livez, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/", home, methods=["GET"]),
        *(page.routes if page else []),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    # A redirect would name the host that the client named.
    app.router.redirect_slashes = False
    return app


def from_environment() -> Starlette:
    """The application of this process's environment: what a server with several workers starts in each."""
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level)
    return create_app(settings)
