"""What a request came to, in the words of the figures and log lines."""

from __future__ import annotations

from graphql_api.execution.answer import Answer, Stage
from graphql_api.http_error import HttpError

_UNAVAILABLE, _FAILED = 503, 500
LEFT = ("left", None)
"""The outcome of a request whose client did not wait for the answer."""


def outcome_of(answer: Answer) -> tuple[str, str | None]:
    """The outcome, and the code of a refusal: a request whose execution began has none, unless the database was away.

    Whatever its status: to a client that asks for plain JSON a refusal of GraphQL's goes out with 200.
    """
    if answer.stage is Stage.EXECUTION:
        return ("ok" if answer.clean else "error"), None
    if answer.stage is Stage.UNAVAILABLE:
        return "unavailable", answer.stage.value
    return "refused", answer.stage.value


def outcome_of_refusal(error: HttpError) -> tuple[str, str | None]:
    """The same of a request that was refused before GraphQL was asked."""
    if error.status == _UNAVAILABLE:
        return "unavailable", error.code
    if error.code == "TIMEOUT":
        return "timeout", error.code
    if error.status >= _FAILED:
        return "failed", None
    return "refused", error.code
