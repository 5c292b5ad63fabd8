"""From an HTTP request to what GraphQL needs of it, or to the status that says why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from starlette.types import Receive, Scope

from graphql_api.http_error import HttpError
from graphql_api.persisted import document_id_of

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
HTML = "text/html"

_MAX_PARAMETERS = 50
_SHORT = 512


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a GraphQL request; null and empty ones are absent.

    It has a document in ``query``, or names a persisted one in ``document_id``, or both.
    """

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any]

    def named(self, operation_name: str) -> GraphQLRequest:
        """The same with the operation that the path names."""
        return replace(self, operation_name=operation_name)


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
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media, float(value) if re.fullmatch(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", value.strip()) else 0.0
    return media, 1.0


def request_of_query_string(query_string: bytes, document_id: str | None = None) -> GraphQLRequest:
    """The request of a GET; ``document_id`` is what its path names. Raises ``HttpError`` 400."""
    if query_string.count(b"&") >= _MAX_PARAMETERS:
        raise HttpError(400, f"The query string may have at most {_MAX_PARAMETERS} parameters.")
    parameters: dict[str, Any] = {} if document_id is None else {"documentId": document_id}
    for pair in query_string.split(b"&"):
        raw_name, _, raw = pair.partition(b"=")
        if not raw:
            continue
        try:
            name = raw_name.decode("ascii") if b"%" not in raw_name else unquote_to_bytes(raw_name).decode()
            if name == "extensions":
                parameters[name] = _extensions(raw) if len(raw) <= _SHORT else _json(_unquoted(raw), "`extensions`")
            elif name == "variables":
                parameters[name] = _json(_unquoted(raw), "`variables`")
            else:
                parameters[name] = _unquoted(raw).decode()
        except UnicodeDecodeError as error:
            raise HttpError(400, "The query string is not UTF-8 in percent encoding.") from error
    return _request_of(parameters)


def _unquoted(raw: bytes) -> bytes:
    """``raw`` as it was before it was written into a query string; checked to be UTF-8."""
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    raw.decode()
    return raw


@lru_cache(maxsize=1024)  # a front end has dozens of operations, and the extensions of each are always the same
def _extensions(raw: bytes) -> Any:
    return _json(_unquoted(raw), "`extensions`")


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
    return GraphQLRequest(
        query, document_id, parameters.get("operationName") or None, parameters.get("variables") or {}
    )
