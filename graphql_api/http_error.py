"""A request that HTTP itself refuses."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """A request that is answered with ``status`` before GraphQL is asked."""

    def __init__(
        self, status: int, message: str, *, code: str = "BAD_REQUEST", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
