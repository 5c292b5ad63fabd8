"""What running an operation came to, and what of its errors the client may know."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError

from graphql_api.changes.changed import Changed
from graphql_api.db.engine import is_passing, is_too_slow, is_without_writes, root_of
from graphql_api.errors import ClientError

logger = logging.getLogger("reviews")


class Stage(Enum):
    """How far a request came. The value is the ``extensions.code`` of what graphql-core itself refuses there."""

    PARSING = "GRAPHQL_PARSE_FAILED"
    VALIDATION = "GRAPHQL_VALIDATION_FAILED"
    OPERATION = "OPERATION_RESOLUTION_FAILURE"
    VARIABLES = "BAD_USER_INPUT"
    COST = "COST_LIMIT_EXCEEDED"
    METHOD = "BAD_REQUEST"
    EXECUTION = "INTERNAL_SERVER_ERROR"
    UNAVAILABLE = "SERVICE_UNAVAILABLE"


class Answer(NamedTuple):
    """The response's body as JSON, and the stage that it comes from; ``clean``: whether it holds no errors.

    ``tags`` name what it shows, ``changed`` what its mutations have written.
    ``data`` stands in it only after execution began. ``UNAVAILABLE``: it did, and the database was away.
    """

    stage: Stage
    body: bytes
    clean: bool = False
    tags: AbstractSet[str] = frozenset()
    changed: Changed | None = None


_NO_ANSWER = "The database does not answer: ask again later."
_NO_WRITES = "The database takes no writes at the moment, and nothing was written: send it again later."
AWAY = Answer(
    Stage.UNAVAILABLE,
    orjson.dumps({"errors": [{"message": _NO_ANSWER, "extensions": {"code": "SERVICE_UNAVAILABLE"}}]}),
)
"""The answer to whatever needs a database that has just been found away."""


def refused(stage: Stage, errors: Sequence[GraphQLError]) -> Answer:
    """The answer to a request that was not run."""
    return Answer(stage, orjson.dumps({"errors": [with_code(error, stage.value) for error in errors]}))


def executed(data: dict[str, Any] | None, errors: Sequence[GraphQLError] | None, request_id: str) -> Answer:
    """The answer of a run."""
    body: dict[str, Any] = {"data": data}
    stage = Stage.EXECUTION
    if errors:
        body["errors"] = [_formatted(error, request_id) for error in errors]
        if any(_is_away(error.original_error) for error in errors):
            stage = Stage.UNAVAILABLE
    return Answer(stage, orjson.dumps(body), clean=not errors)


def with_code(error: GraphQLError, code: str) -> dict[str, Any]:
    """``error`` as it goes out, under ``code``."""
    formatted: dict[str, Any] = dict(error.formatted)
    formatted["extensions"] = {**(error.extensions or {}), "code": code}
    return formatted


def _formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):  # graphql-core's own: an argument's value could not be read
        return with_code(error, "BAD_USER_INPUT")
    if isinstance(cause, ClientError):
        return with_code(error, cause.code)
    if is_too_slow(cause):
        logger.warning("%s: a statement took too long at %s", request_id, error.path)
        return _masked(error, "TIMEOUT", "The database took too long: ask for less, or again later.", request_id)
    if is_without_writes(cause):
        logger.warning("%s: the database takes no writes: %s", request_id, type(root_of(cause)).__name__)
        return _masked(error, "SERVICE_UNAVAILABLE", _NO_WRITES, request_id)
    if _is_away(cause):
        logger.warning("%s: the database is away: %s", request_id, type(root_of(cause)).__name__)
        return _masked(error, "SERVICE_UNAVAILABLE", _NO_ANSWER, request_id)
    logger.error("%s: unexpected error at %s", request_id, error.path, exc_info=cause)
    return _masked(error, "INTERNAL_SERVER_ERROR", "Internal server error", request_id)


def _is_away(cause: Exception | None) -> bool:
    return cause is not None and is_passing(cause) and not is_too_slow(cause)


def _masked(error: GraphQLError, code: str, message: str, request_id: str) -> dict[str, Any]:
    formatted = with_code(error, code)
    return {**formatted, "message": message, "extensions": {"code": code, "requestId": request_id}}
