"""From an HTTP request to what GraphQL needs of it, or to the status that says why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import orjson
from starlette.types import Receive, Scope

from graphql_api.http_error import HttpError
from graphql_api.persisted import document_id_of

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
HTML = "text/html"

REPORT, ESTIMATE = COSTS = ("report", "estimate")
"""What ``extensions.cost`` can ask for: the cost with the answer, or in its place."""

_BLANKS = " \t"
"""What may stand around the parts of a header. Source: RFC 9110, 5.6.3."""
_MAX_PARAMETERS = 50
_SHORT = 1024
_PARAMETERS = frozenset({"query", "documentId", "id", "doc_id", "operationName", "variables", "extensions"})
# What JSON in a query string is full of. None of them makes or breaks an escape beside it, so each can be replaced by
# itself; for a product's id this takes a third of the time of urllib's general way.
_ESCAPES = ((b"%22", b'"'), (b"%7B", b"{"), (b"%7D", b"}"), (b"%3A", b":"), (b"%2C", b","))


class GraphQLRequest(NamedTuple):
    """The parameters of a GraphQL request; null and empty ones are absent.

    It has a document in ``query``, or names a persisted one in ``document_id``, or both. ``cost`` is one of ``COSTS``.
    """

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any]
    cost: str | None = None


def negotiated(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """The best of the ``offered`` media types, the earlier one between equals; ``None`` when none is accepted.

    No header accepts the first. Source: RFC 9110, 12.5.1.
    """
    if not accept:
        return offered[0]
    best, best_quality = None, 0.0
    ranges = [_media_range(text) for text in accept.split(",")]
    for candidate in offered:
        major = candidate.partition("/")[0]
        for wanted in (candidate, f"{major}/*", "*/*"):  # the most specific range decides
            qualities = [quality for media, quality in ranges if media == wanted]
            if qualities:
                if max(qualities) > best_quality:
                    best, best_quality = candidate, max(qualities)
                break
    return best


def _media_range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip(_BLANKS).lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = (part.strip(_BLANKS) for part in parameter.partition("="))
        if name == "q":
            return media, float(value) if re.fullmatch(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", value) else 0.0
    return media, 1.0


def request_of_query_string(query_string: bytes, own_path: str | None = None) -> GraphQLRequest:
    """The request of a GET. ``own_path``: the document's id and the operation's name, where the path names them.

    Raises ``HttpError`` 400, and 404 for a path without an id.
    """
    rest, raw = _parted(query_string)
    short = len(rest) + len(own_path or "") <= _SHORT
    (query, document_id, operation_name, cost), more = (_named if short else _named.__wrapped__)(rest, own_path)
    if raw and more:
        raise _twice("variables")
    raw = raw or more
    return GraphQLRequest(query, document_id, operation_name, _variables(raw) if raw else {}, cost)


def _parted(query_string: bytes) -> tuple[bytes, bytes]:
    """What is the same for all requests of an operation, and its variables as they are written."""
    if query_string.startswith(b"variables="):
        raw, _, rest = query_string[10:].partition(b"&")
        return rest, raw
    before, _, behind = query_string.partition(b"&variables=")
    raw, more, rest = behind.partition(b"&")
    return before + more + rest, raw


@lru_cache(maxsize=1024)  # a front end has dozens of operations; 1 KB at the most of each is kept
def _named(query_string: bytes, own_path: str | None) -> tuple[tuple[str | None, ...], bytes]:
    """Text, id, operation's name, cost, and the variables as they are written, should they be among the rest."""
    pairs = query_string.split(b"&")
    if len(pairs) > _MAX_PARAMETERS:
        raise HttpError(400, f"The query string may have at most {_MAX_PARAMETERS} parameters.")
    parameters = {} if own_path is None else _named_by(own_path)
    variables = b""
    for pair in pairs:
        raw_name, _, raw = pair.partition(b"=")
        name = _decoded(raw_name)
        if not raw or name not in _PARAMETERS:
            continue
        # A cache in front of us may go by the one where we go by the other.
        if name in parameters or (name == "variables" and variables):
            raise _twice(name)
        if name == "variables":
            variables = raw
        elif name == "extensions":
            parameters[name] = _json(_unquoted(raw), "`extensions`")
        else:
            parameters[name] = _decoded(raw)
    request = _request_of(parameters)
    return (request.query, request.document_id, request.operation_name, request.cost), variables


def _named_by(own_path: str) -> dict[str, Any]:
    document_id, _, operation_name = own_path.partition("/")
    if not document_id:
        raise HttpError(404, "The path names no document: it ends in the hash of one, and the name of its operation.")
    return {"documentId": document_id, **({"operationName": operation_name} if operation_name else {})}


def _twice(name: str) -> HttpError:
    return HttpError(400, f"`{name}` is given twice.")


def _variables(raw: bytes) -> dict[str, Any]:
    variables = _json(_unquoted(raw), "`variables`")
    if isinstance(variables, dict):
        return variables
    if variables is not None:
        raise HttpError(400, "`variables` must be an object.")
    return {}


def _decoded(raw: bytes) -> str:
    try:
        return _unquoted(raw).decode()
    except UnicodeDecodeError as error:
        raise HttpError(400, "The query string is not UTF-8 in percent encoding.") from error


def _unquoted(raw: bytes) -> bytes:
    """``raw`` as it was before it was written into a query string."""
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    for escape, sign in _ESCAPES:
        raw = raw.replace(escape, sign)
    return unquote_to_bytes(raw) if b"%" in raw else raw


def request_of_body(content_type: str, body: bytes) -> GraphQLRequest:
    """The request of a body. Raises ``HttpError`` 400 or 415."""
    media, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if media.strip().lower() != JSON or (charset and charset[1].lower() not in {"utf-8", "utf8"}):
        raise HttpError(415, f"Send the request as {JSON} in UTF-8.")
    parameters_sent = _json(body, "The body")
    if isinstance(parameters_sent, list):
        raise HttpError(400, "Send one operation a request: batches are not taken.")
    if not isinstance(parameters_sent, dict):
        raise HttpError(400, "The body must be a JSON object.")
    return _request_of(parameters_sent)


async def read_body(receive: Receive, scope: Scope, limit: int) -> bytes:
    """The whole body. Raises ``HttpError`` 413 as soon as it is known to be over ``limit`` bytes."""
    too_large = HttpError(413, f"The body may have at most {limit} bytes.")
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise too_large
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "The client left.")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _json(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, f"{what} is not JSON: {error}.") from error


def _request_of(parameters: Mapping[str, Any]) -> GraphQLRequest:
    for name in ("query", "operationName"):
        if not isinstance(parameters.get(name), str | None):
            raise HttpError(400, f"`{name}` must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(parameters.get(name), dict | None):
            raise HttpError(400, f"`{name}` must be an object.")
    query, document_id = parameters.get("query") or None, document_id_of(parameters)
    if query is None and document_id is None:
        raise HttpError(400, "`query` is missing: send a GraphQL document, or the id of a persisted one.")
    cost = (parameters.get("extensions") or {}).get("cost")
    if cost is not None and cost not in COSTS:
        raise HttpError(400, f"`extensions.cost` can be {REPORT} or {ESTIMATE}.")
    return GraphQLRequest(
        query, document_id, parameters.get("operationName") or None, parameters.get("variables") or {}, cost
    )
