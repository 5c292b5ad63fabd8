"""The HTTP endpoint: GraphQL over HTTP in, GraphQL over HTTP out, and nothing else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.context import Context
from graphql_api.db.engine import Database
from graphql_api.execution.answer import Answer, Stage
from graphql_api.execution.executor import Executor
from graphql_api.http_request import (
    GRAPHQL_JSON,
    HTML,
    JSON,
    GraphQLRequest,
    HttpError,
    negotiated,
    read_body,
    request_of_body,
    request_of_query_string,
)
from graphql_api.settings import Settings

# A client that asks for the media type of GraphQL gets the status that fits; one that asks for plain JSON gets 200
# for whatever GraphQL itself answered, as clients before that type expect.
STATUS = {
    Stage.PARSING: {GRAPHQL_JSON: 400, JSON: 200},
    Stage.VALIDATION: {GRAPHQL_JSON: 400, JSON: 200},
    Stage.OPERATION: {GRAPHQL_JSON: 400, JSON: 200},
    Stage.VARIABLES: {GRAPHQL_JSON: 400, JSON: 200},
    Stage.COST: {GRAPHQL_JSON: 400, JSON: 200},
    Stage.METHOD: {GRAPHQL_JSON: 405, JSON: 405},
    Stage.EXECUTION: {GRAPHQL_JSON: 200, JSON: 200},
}
_QUERY = re.compile(rb"(?:^|&)query=")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class GraphQLEndpoint:
    """``/graphql``. Made once; ``page`` gives the answer for a browser, ``database`` the open database."""

    def __init__(
        self,
        executor: Executor,
        settings: Settings,
        *,
        database: Callable[[], Database],
        page: Callable[[], Response] | None,
    ) -> None:
        self.executor = executor
        self.settings = settings
        self.database = database
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        sent_id = headers.get("x-request-id", "")
        request_id = sent_id if _REQUEST_ID.fullmatch(sent_id) else uuid.uuid4().hex
        accept = ", ".join(headers.getlist("accept")) or None
        try:
            if self._wants_page(scope, accept):
                assert self.page is not None
                response: ASGIApp = self.page()
            else:
                media_type = _media_type(accept)
                request = await self._request(scope, headers, receive)
                response = await self._answer(request, scope["method"], headers, media_type, request_id)
        except HttpError as error:
            media_type = negotiated(accept, (JSON, GRAPHQL_JSON)) or JSON
            body = {"errors": [{"message": str(error), "extensions": {"code": error.code}}]}
            response = _response(error.status, orjson.dumps(body), media_type, request_id, error.headers)
        await response(scope, receive, send)

    def _wants_page(self, scope: Scope, accept: str | None) -> bool:
        return (
            self.page is not None
            and scope["method"] in {"GET", "HEAD"}
            and not _QUERY.search(scope["query_string"])
            and accept is not None
            and negotiated(accept, (JSON, GRAPHQL_JSON, HTML)) == HTML
        )

    async def _request(self, scope: Scope, headers: Headers, receive: Receive) -> GraphQLRequest:
        match scope["method"]:
            case "GET" | "HEAD":
                return request_of_query_string(scope["query_string"])
            case "POST":
                body = await read_body(receive, scope, self.settings.max_body_bytes)
                return request_of_body(headers.get("content-type", ""), body)
        raise HttpError(405, "Send the request with GET or POST.", headers={"Allow": "GET, HEAD, POST"})

    async def _answer(
        self, request: GraphQLRequest, method: str, headers: Headers, media_type: str, request_id: str
    ) -> Response:
        context = Context(self.database(), self.settings, request_id, idempotency_key=_key(headers))
        document = self.executor.documents.of(request.query)
        answer = (
            document
            if isinstance(document, Answer)
            else await self.executor.run(
                document,
                context,
                variables=request.variables,
                operation_name=request.operation_name,
                mutations=method == "POST",
            )
        )
        extra = {"Allow": "POST"} if answer.stage is Stage.METHOD else {}
        return _response(STATUS[answer.stage][media_type], answer.body, media_type, request_id, extra)


def _key(headers: Headers) -> str | None:
    """The key of the request, UTF-8, in quotes or not. Source: the IETF draft on the Idempotency-Key header field."""
    key = headers.get("idempotency-key")
    if key is None:
        return None
    text = key.encode("latin-1").decode(errors="surrogateescape").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _media_type(accept: str | None) -> str:
    media_type = negotiated(accept, (JSON, GRAPHQL_JSON))
    if media_type is None:
        raise HttpError(406, f"The answer can be {GRAPHQL_JSON} or {JSON}.")
    return media_type


def _response(status: int, body: bytes, media_type: str, request_id: str, extra: Mapping[str, str]) -> Response:
    headers = {
        "Content-Type": f"{media_type}; charset=utf-8",
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
        **extra,
    }
    return Response(body, status, headers)
