"""A request that HTTP itself refuses."""

from __future__ import annotations

from collections.abc import Mapping

import orjson


class HttpError(Exception):
    """A request that is answered with ``status`` before GraphQL is asked; ``body`` says so in JSON."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "BAD_REQUEST",
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code, **(extensions or {})}}]})


def overloaded() -> HttpError:
    """What is answered while more is asked for than can be done."""
    message = "Too much is asked of this server at the moment: ask again later."
    return HttpError(503, message, code="OVERLOADED", headers={"Retry-After": "1"})


def unavailable(message: str) -> HttpError:
    """What is answered while the database is away."""
    return HttpError(503, message, code="SERVICE_UNAVAILABLE", headers={"Retry-After": "1"})
