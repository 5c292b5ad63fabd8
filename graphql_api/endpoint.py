"""The HTTP endpoint: GraphQL over HTTP in, GraphQL over HTTP out, and nothing else."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from functools import lru_cache

from graphql import GraphQLError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api.client_rates import ClientRates
from graphql_api.context import Context
from graphql_api.db.engine import Database
from graphql_api.db.standbys import lsn_of
from graphql_api.deadlines import ClientLeftError, Deadlines, Running
from graphql_api.documents.store import Store
from graphql_api.execution.answer import Answer, Stage, refused
from graphql_api.execution.document import Document
from graphql_api.execution.executor import Executor
from graphql_api.execution.pricing import price_of
from graphql_api.http_error import HttpError
from graphql_api.http_request import (
    ESTIMATE,
    GRAPHQL_JSON,
    HTML,
    JSON,
    GraphQLRequest,
    negotiated,
    read_body,
    request_of_body,
    request_of_query_string,
)
from graphql_api.http_response import KEPT, NOT_KEPT, etag_of, matches, respond, respond_whole, tagged
from graphql_api.instruments.instruments import Instruments
from graphql_api.instruments.observation import Observation
from graphql_api.limits.variables import VariableBounds
from graphql_api.outcomes import LEFT, outcome_of, outcome_of_refusal
from graphql_api.protocol import lines_of
from graphql_api.refusals import refusal_of
from graphql_api.requested_documents import RequestedDocuments
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
    # Proxies and clients that know nothing of GraphQL are to try again, and to keep what they have.
    Stage.UNAVAILABLE: {GRAPHQL_JSON: 503, JSON: 503},
}
MORE_LINES = {Stage.METHOD: b"allow: POST\r\n", Stage.UNAVAILABLE: b"retry-after: 1\r\n"}
PATH, PERSISTED = "/graphql", "/graphql/p/"
METHODS = "GET, HEAD, POST, QUERY"
_ASKS = re.compile(rb"(?:^|&)(?:query|extensions|documentId|id|doc_id)=")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class GraphQLEndpoint:
    """``/graphql`` and ``/graphql/p/<id>/<operation>``; everything else goes on to ``app``. Made once.

    ``page`` gives the answer for a browser, ``database`` the open database. ``instruments`` are told of each request.
    """

    def __init__(
        self,
        app: ASGIApp,
        executor: Executor,
        store: Store,
        settings: Settings,
        instruments: Instruments,
        *,
        database: Callable[[], Database],
        page: Callable[[], Response] | None,
    ) -> None:
        self.app = app
        self.executor = executor
        self.store = store
        self.settings = settings
        self.instruments = instruments
        self.database = database
        self.page = page
        self.documents = RequestedDocuments(executor.documents, store, settings, instruments, database)
        self.rates = ClientRates(settings)
        self.variables = VariableBounds(settings.max_variables_bytes, settings.max_variables_depth, settings.max_list)
        self.deadlines = Deadlines(settings.request_timeout_ms / 1000)
        process = secrets.token_hex(8).encode()
        self._ids = (b"%b%016x" % (process, number) for number in itertools.count())

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
        request_id = sent_id if sent_id and _REQUEST_ID.fullmatch(sent_id) else next(self._ids)
        tell_id = b"x-request-id: %b\r\n" % request_id
        shown_id = request_id.decode()
        observed = self.instruments.begin(shown_id, headers)
        media_type = _media_type(accept)
        try:
            if media_type is None:
                raise HttpError(406, f"The answer can be {GRAPHQL_JSON} or {JSON}.")  # noqa: TRY301 - told as the others
            running = self.deadlines.begin()
            try:
                answer, is_persisted = await self._answer(scope, receive, headers, shown_id, observed, running)
            finally:
                self.deadlines.end(running)
        except ClientLeftError:
            self.instruments.ended(observed, *LEFT)
            return
        except Exception as error:  # noqa: BLE001 - what is not expected is told too, in our words
            refusal = refusal_of(error, shown_id)
            self.instruments.ended(observed, *outcome_of_refusal(refusal))
            await _refuse(send, refusal, media_type or JSON, tell_id)
            return
        lines = tell_id + self.instruments.ended(observed, *outcome_of(answer))
        body = answer.body
        if answer.clean and is_persisted and method in {"GET", "HEAD"}:
            etag = etag_of(body, media_type)
            by_tags = tagged(answer.tags)
            if by_tags:
                self.instruments.tags_sent(len(answer.tags))
            lines = KEPT % (etag, by_tags, lines)
            if_none_match = headers.get(b"if-none-match")
            is_same = if_none_match is not None and matches(if_none_match, etag)
            status, body = (304, b"") if is_same else (200, body)
        else:
            lines = NOT_KEPT + lines + MORE_LINES.get(answer.stage, b"")
            if answer.changed is not None:
                lines += b"changed: %b\r\n" % answer.changed.header()
            status = STATUS[answer.stage][media_type]
        if not respond_whole(scope, status, media_type, lines, body):
            await respond(send, status, media_type, lines, body)

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
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[bytes, bytes],
        request_id: str,
        observed: Observation | None,
        running: Running,
    ) -> tuple[Answer, bool]:
        """The answer, and whether it is that of a persisted URL."""
        if scope["method"] in {"GET", "HEAD"}:
            # Before anything of it is parsed: a refusal should cost as little as it can.
            self.executor.reads.check()
            request = self._asked(scope)
        else:
            request = await self._sent(scope, headers, receive)
        running.receive = receive
        query, document_id, operation_name, variables, asked_cost = request
        broken = self.variables.broken(variables) if variables else None
        if broken is not None:
            return refused(Stage.VARIABLES, [GraphQLError(broken)]), False
        document = self._known(document_id, observed) if query is None else None
        if document is None:
            found = await self._unknown(request, scope, headers, observed)
            if isinstance(found, Answer):
                return found, False
            document = found
        price = None
        if asked_cost is not None:
            price = price_of(document, operation_name, variables, self.settings.max_cost)
            if price is not None and asked_cost == ESTIMATE:
                return price.alone(), False
        may_mutate = scope["method"] == "POST"
        client = deadline = None
        if may_mutate and document.mutates(operation_name):
            self.rates.mutation(scope, headers)
            client = self.rates.client(scope, headers)
            running.is_kept = True
            deadline = self.deadlines.at(running)
        after = headers.get(b"reviews-after")
        context = Context(
            self.database(),
            self.settings,
            request_id,
            idempotency_key=_key(headers),
            client=client,
            after=None if after is None else lsn_of(after),
            observation=observed,
            observer=self.executor.observer,
            deadline=deadline,
        )
        answer = await self.executor.run(
            document, context, variables=variables, operation_name=operation_name, mutations=may_mutate
        )
        is_persisted = query is None and asked_cost is None
        return (answer if price is None else price.beside(answer)), is_persisted

    def _known(self, document_id: str | None, observed: Observation | None) -> Document | None:
        """The document of an id, if it is in memory."""
        assert document_id is not None, "a request names a document, or brings one"
        document = self.store.known(document_id)
        if document is not None:
            self.instruments.document(observed, "known", document)
        return document

    async def _unknown(
        self, request: GraphQLRequest, scope: Scope, headers: dict[bytes, bytes], observed: Observation | None
    ) -> Document | Answer:
        """The document that is asked for otherwise, or the answer that says what is wrong with it."""
        trusted = None if request.query is None else self.store.trusted_text(request.query)
        if trusted is None:
            self.rates.unknown_document(scope, headers)
        return await self.documents.of(request.query, request.document_id, trusted, observed)


async def _refuse(send: Send, error: HttpError, media_type: str, tell_id: bytes) -> None:
    more = lines_of((name.lower().encode(), value.encode()) for name, value in error.headers.items())
    await respond(send, error.status, media_type, NOT_KEPT + tell_id + more, error.body)


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
