"""From what was raised to the refusal that the client gets."""

from __future__ import annotations

import logging

from graphql_api.errors import DatabaseUnavailableError, OverloadedError
from graphql_api.http_error import HttpError, overloaded, unavailable

logger = logging.getLogger("reviews")


def refusal_of(error: Exception, request_id: str) -> HttpError:
    """What ``error`` is to the client. One that nobody expected is masked, and the log has it."""
    if isinstance(error, HttpError):
        return error
    if isinstance(error, OverloadedError):
        return overloaded()
    if isinstance(error, DatabaseUnavailableError):  # the operator has its reason in the log and at /readyz
        return unavailable("The gateway is not ready: ask again later.")
    logger.error("%s: unexpected error", request_id, exc_info=error)
    return HttpError(500, "Internal server error", code="INTERNAL_SERVER_ERROR", extensions={"requestId": request_id})
