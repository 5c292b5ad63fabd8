"""The HTTP endpoint: GraphQL over HTTP in, GraphQL over HTTP out, and nothing else."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.context import Context
from graphql_api.db.engine import Database, is_passing
from graphql_api.documents.store import Store
from graphql_api.execution.answer import Answer, Stage
from graphql_api.execution.document import Document
from graphql_api.execution.executor import Executor
from graphql_api.http_error import HttpError
from graphql_api.http_request import (
    GRAPHQL_JSON,
    HTML,
    JSON,
    GraphQLRequest,
    negotiated,
    read_body,
    request_of_body,
    request_of_query_string,
)
from graphql_api.http_response import KEPT, NOT_KEPT, etag_of, matches, respond
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

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
PATH, PERSISTED = "/graphql", "/graphql/p/"
METHODS = "GET, HEAD, POST, QUERY"
_ASKS = re.compile(rb"(?:^|&)(?:query|extensions|documentId|id|doc_id)=")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class GraphQLEndpoint:
    """``/graphql`` and ``/graphql/p/<id>/<operation>``; everything else goes on to ``app``. Made once.

    ``page`` gives the answer for a browser, ``database`` the open database.
    """

    def __init__(
        self,
        app: ASGIApp,
        executor: Executor,
        store: Store,
        settings: Settings,
        *,
        database: Callable[[], Database],
        page: Callable[[], Response] | None,
    ) -> None:
        self.app = app
        self.executor = executor
        self.store = store
        self.settings = settings
        self.database = database
        self.page = page
        self._ids = (f"{secrets.token_hex(8)}{number:016x}" for number in itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"] == PATH or scope["path"].startswith(PERSISTED)):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope["headers"])
        accept = headers.get(b"accept", b"")
        if self.page is not None and self._wants_page(scope, accept):
            await self.page()(scope, receive, send)
            return
        sent_id = headers.get(b"x-request-id")
        request_id = sent_id if sent_id and _REQUEST_ID.fullmatch(sent_id) else next(self._ids).encode()
        tell_id = (b"x-request-id", request_id)
        media_type = _media_type(accept)
        try:
            _check(media_type)
            request = await self._request(scope, headers, receive)
            answer = await self._answer(request, scope["method"], headers, request_id.decode())
        except HttpError as error:
            body = orjson.dumps({"errors": [{"message": str(error), "extensions": {"code": error.code}}]})
            extra = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
            await respond(send, error.status, media_type or JSON, body, [NOT_KEPT, tell_id, *extra])
            return
        except Exception:
            logger.exception("%s: unexpected error", request_id.decode())
            masked = {
                "message": "Internal server error",
                "extensions": {"code": Stage.EXECUTION.value, "requestId": request_id.decode()},
            }
            await respond(send, 500, media_type or JSON, orjson.dumps({"errors": [masked]}), [NOT_KEPT, tell_id])
            return
        assert media_type is not None
        if answer.clean and request.document_id is not None and scope["method"] in {"GET", "HEAD"}:
            etag = etag_of(answer.body)
            status, body = 200, answer.body
            if b"if-none-match" in headers and matches(headers[b"if-none-match"], etag):
                status, body = 304, b""
            await respond(send, status, media_type, body, [KEPT, (b"etag", etag), tell_id])
            return
        allow = [(b"allow", b"POST")] if answer.stage is Stage.METHOD else []
        await respond(send, STATUS[answer.stage][media_type], media_type, answer.body, [NOT_KEPT, tell_id, *allow])

    def _wants_page(self, scope: Scope, accept: bytes) -> bool:
        return (
            b"html" in accept
            and scope["path"] == PATH
            and scope["method"] in {"GET", "HEAD"}
            and not _ASKS.search(scope["query_string"])
            and negotiated(accept.decode("latin-1"), (JSON, GRAPHQL_JSON, HTML)) == HTML
        )

    async def _request(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> GraphQLRequest:
        method, path, query_string = scope["method"], scope["path"], scope["query_string"]
        if len(query_string) + len(path) > self.settings.max_url_bytes:
            raise HttpError(414, f"The URL may have at most {self.settings.max_url_bytes} bytes: send it with POST.")
        if path != PATH:
            if method not in {"GET", "HEAD"}:
                raise HttpError(
                    405, "Ask for a persisted operation's own URL with GET.", headers={"Allow": "GET, HEAD"}
                )
            document_id, _, operation_name = path.removeprefix(PERSISTED).partition("/")
            request = request_of_query_string(query_string, unquote(document_id))
            return request if not operation_name else request.named(operation_name)
        if method in {"GET", "HEAD"}:
            return request_of_query_string(query_string)
        if method in {"POST", "QUERY"}:
            body = await read_body(receive, scope, self.settings.max_body_bytes)
            return request_of_body(headers.get(b"content-type", b"").decode("latin-1"), body)
        raise HttpError(405, "Send the request with GET, POST or QUERY.", headers={"Allow": METHODS})

    async def _answer(
        self, request: GraphQLRequest, method: str, headers: dict[bytes, bytes], request_id: str
    ) -> Answer:
        document = await self._document(request)
        if isinstance(document, Answer):
            return document
        context = Context(self.database(), self.settings, request_id, idempotency_key=_key(headers))
        return await self.executor.run(
            document,
            context,
            variables=request.variables,
            operation_name=request.operation_name,
            mutations=method == "POST",
        )

    async def _document(self, request: GraphQLRequest) -> Document | Answer:
        """The document that the request names or brings. Raises ``HttpError`` where it may not or cannot be had."""
        id_, text = request.document_id, request.query
        if id_ is None:
            assert text is not None
            document = self.executor.documents.of(text)
            if self.settings.documents == "trusted":
                return self._trusted(document)
            return document
        known = self.store.known(id_)
        if known is not None and text is None:
            return known
        try:
            return await self._persisted(id_, text)
        except Exception as error:
            if is_passing(error):
                logger.warning("The store of documents is away: %s", type(error).__name__)
                raise HttpError(
                    503,
                    "The database does not answer: ask again later.",
                    code="SERVICE_UNAVAILABLE",
                    headers={"Retry-After": "1"},
                ) from error
            raise

    async def _persisted(self, id_: str, text: str | None) -> Document | Answer:
        if text is None:
            if self.settings.documents == "any":
                raise HttpError(200, "PersistedQueryNotSupported", code="PERSISTED_QUERY_NOT_SUPPORTED")
            found = await self.store.find(id_, self.database()) if self.settings.documents == "automatic" else None
            if found is None:
                raise HttpError(200, "PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
            return found
        document = self.executor.documents.of(text)
        if isinstance(document, Answer):
            return document
        if document.sha256 != id_ and len(id_) == len(document.sha256):
            raise HttpError(400, "provided sha does not match query")
        if self.settings.documents == "trusted":
            return self._trusted(document)
        if document.sha256 == id_ and self.settings.documents == "automatic" and not self.store.is_trusted(document):
            await self.store.register(document, self.database())
        return document

    def _trusted(self, document: Document | Answer) -> Document:
        if isinstance(document, Answer) or not self.store.is_trusted(document):
            raise HttpError(400, "Only the documents of the shop's own front ends are run here: send the id of one.")
        return document


def _headers(sent: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by lower-case name; those that come in several lines joined by commas."""
    headers = dict(sent)
    if len(headers) < len(sent):
        headers = {}
        for name, value in sent:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


@lru_cache(maxsize=256)  # clients of one kind send the same
def _media_type(accept: bytes) -> str | None:
    return negotiated(accept.decode("latin-1"), (JSON, GRAPHQL_JSON))


def _check(media_type: str | None) -> None:
    if media_type is None:
        raise HttpError(406, f"The answer can be {GRAPHQL_JSON} or {JSON}.")


def _key(headers: dict[bytes, bytes]) -> str | None:
    """The key of the request, UTF-8, in quotes or not. Source: the IETF draft on the Idempotency-Key header field."""
    key = headers.get(b"idempotency-key")
    if key is None:
        return None
    text = key.decode(errors="surrogateescape").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
