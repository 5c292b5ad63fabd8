"""The HTTP endpoint: GraphQL over HTTP in, GraphQL over HTTP out, and nothing else."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from collections.abc import Callable
from functools import lru_cache

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.context import Context
from graphql_api.db.engine import Database, is_passing, is_too_slow, root_of
from graphql_api.db.standbys import lsn_of
from graphql_api.documents.hashes import is_hash
from graphql_api.documents.store import Store
from graphql_api.errors import DatabaseUnavailableError
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
from graphql_api.http_response import KEPT, NOT_KEPT, etag_of, matches, respond, tagged
from graphql_api.persisted import MISMATCH
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
    # Proxies and clients that know nothing of GraphQL are to try again, and to keep what they have.
    Stage.UNAVAILABLE: {GRAPHQL_JSON: 503, JSON: 503},
}
MORE_HEADERS = {Stage.METHOD: [(b"allow", b"POST")], Stage.UNAVAILABLE: [(b"retry-after", b"1")]}
PATH, PERSISTED = "/graphql", "/graphql/p/"
METHODS = "GET, HEAD, POST, QUERY"
# What a look-up or a registration may come to on a database that is away, only reads, or has no table.
FAULTS = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
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
        process = secrets.token_hex(8)
        self._ids = (f"{process}{number:016x}" for number in itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"] == PATH or scope["path"].startswith(PERSISTED)):
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        headers = _headers(scope["headers"])
        accept = headers.get(b"accept", b"")
        if self.page is not None and self._wants_page(scope, accept):
            await self.page()(scope, receive, send)
            return
        sent_id = headers.get(b"x-request-id")
        request_id = sent_id if sent_id and _REQUEST_ID.fullmatch(sent_id) else next(self._ids).encode()
        tell_id = (b"x-request-id", request_id)
        media_type = _media_type(accept)
        if media_type is None:
            await _refuse(send, HttpError(406, f"The answer can be {GRAPHQL_JSON} or {JSON}."), JSON, tell_id)
            return
        try:
            if method in {"GET", "HEAD"}:
                request = self._asked(scope)
            else:
                request = await self._sent(scope, headers, receive)
            answer = await self._answer(request, method, headers, request_id.decode())
        except Exception as error:  # noqa: BLE001 - what is not expected is told too, in our words
            refusal = _refusal(error, request_id.decode())
            await _refuse(send, refusal, media_type, tell_id)
            return
        if answer.clean and request.query is None and method in {"GET", "HEAD"}:
            etag = etag_of(answer.body, media_type)
            if b"if-none-match" in headers and matches(headers[b"if-none-match"], etag):
                await respond(send, 304, media_type, b"", [KEPT, (b"etag", etag), *tagged(answer.tags), tell_id])
            else:
                headers_sent = [KEPT, (b"etag", etag), *tagged(answer.tags), tell_id]
                await respond(send, 200, media_type, answer.body, headers_sent)
            return
        more = [*MORE_HEADERS.get(answer.stage, ())]
        if answer.changed is not None:
            more.append((b"changed", answer.changed.header()))
        await respond(send, STATUS[answer.stage][media_type], media_type, answer.body, [NOT_KEPT, tell_id, *more])

    def _wants_page(self, scope: Scope, accept: bytes) -> bool:
        return (
            b"html" in accept
            and scope["path"] == PATH
            and scope["method"] in {"GET", "HEAD"}
            and not _ASKS.search(scope["query_string"])
            and negotiated(accept.decode("latin-1"), (JSON, GRAPHQL_JSON, HTML)) == HTML
        )

    def _asked(self, scope: Scope) -> GraphQLRequest:
        """The request that a URL is."""
        path, query_string = scope["path"], scope["query_string"]
        if len(query_string) + len(path) > self.settings.max_url_bytes:
            raise HttpError(414, f"The URL may have at most {self.settings.max_url_bytes} bytes: send it with POST.")
        return request_of_query_string(query_string, None if path == PATH else path[len(PERSISTED) :])

    async def _sent(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> GraphQLRequest:
        """The request that a body is."""
        if scope["path"] != PATH:
            raise HttpError(405, "Ask for a persisted operation's own URL with GET.", headers={"Allow": "GET, HEAD"})
        if scope["method"] not in {"POST", "QUERY"}:
            raise HttpError(405, "Send the request with GET, POST or QUERY.", headers={"Allow": METHODS})
        if len(scope["query_string"]) + len(PATH) > self.settings.max_url_bytes:
            raise HttpError(414, f"The URL may have at most {self.settings.max_url_bytes} bytes.")
        body = await read_body(receive, scope, self.settings.max_body_bytes)
        return request_of_body(headers.get(b"content-type", b"").decode("latin-1"), body)

    async def _answer(
        self, request: GraphQLRequest, method: str, headers: dict[bytes, bytes], request_id: str
    ) -> Answer:
        query, document_id, operation_name, variables = request
        document: Document | Answer | None = None
        if query is None:
            assert document_id is not None
            document = self.store.known(document_id)
        if document is None:
            document = await self._document(query, document_id)
        if isinstance(document, Answer):
            return document
        after = headers.get(b"reviews-after")
        context = Context(
            self.database(),
            self.settings,
            request_id,
            idempotency_key=_key(headers),
            after=None if after is None else lsn_of(after),
        )
        return await self.executor.run(
            document, context, variables=variables, operation_name=operation_name, mutations=method == "POST"
        )

    async def _document(self, text: str | None, id_: str | None) -> Document | Answer:
        """The document of a text, or of an id that is not in memory. Raises ``HttpError`` where none can be had."""
        mode = self.settings.documents
        if text is None:
            assert id_ is not None
            if mode == "any":
                raise HttpError(200, "PersistedQueryNotSupported", code="PERSISTED_QUERY_NOT_SUPPORTED")
            found = await self._found(id_) if mode == "automatic" else None
            if found is None:
                raise HttpError(200, "PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
            return found
        trusted = self.store.trusted_text(text)
        if mode == "trusted" and trusted is None:
            raise HttpError(400, "Only the documents of the shop's own front ends are run here: send the id of one.")
        document = trusted or self.executor.documents.of(text)
        if id_ is None or isinstance(document, Answer):
            return document
        meant = self.store.known(id_)
        if (meant or is_hash(id_)) and document.sha256 != (meant.sha256 if meant else id_):
            raise HttpError(400, MISMATCH)
        if mode == "automatic" and trusted is None and document.sha256 == id_:
            await self._register(document)
        return document

    async def _found(self, id_: str) -> Document | None:
        try:
            return await self.store.find(id_, self.database())
        except FAULTS as error:
            if not (is_passing(error) or is_too_slow(error)):
                raise
            logger.warning("The documents cannot be read: %s", type(error).__name__)
            # Never that the hash is unknown, or that there are none: clients would send the text, or stop for good.
            raise _unavailable("The database does not answer: ask again later.") from error

    async def _register(self, document: Document) -> None:
        try:
            await self.store.register(document, self.database())
        except FAULTS as error:
            # It runs all the same, and whoever misses it sends it again.
            logger.log(
                logging.WARNING if is_passing(error) else logging.ERROR,
                "A document cannot be stored: %s",
                type(root_of(error)).__name__,
            )


async def _refuse(send: Send, error: HttpError, media_type: str, tell_id: tuple[bytes, bytes]) -> None:
    extra = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    await respond(send, error.status, media_type, error.body, [NOT_KEPT, tell_id, *extra])


def _refusal(error: Exception, request_id: str) -> HttpError:
    if isinstance(error, HttpError):
        return error
    if isinstance(error, DatabaseUnavailableError):  # the operator has its reason in the log and at /readyz
        return _unavailable("The gateway is not ready: ask again later.")
    logger.error("%s: unexpected error", request_id, exc_info=error)
    return HttpError(500, "Internal server error", code="INTERNAL_SERVER_ERROR", extensions={"requestId": request_id})


def _unavailable(message: str) -> HttpError:
    return HttpError(503, message, code="SERVICE_UNAVAILABLE", headers={"Retry-After": "1"})


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


def _key(headers: dict[bytes, bytes]) -> str | None:
    """The key of the request, UTF-8, in quotes or not. Source: the IETF draft on the Idempotency-Key header field."""
    key = headers.get(b"idempotency-key")
    if key is None:
        return None
    text = key.decode(errors="surrogateescape").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
