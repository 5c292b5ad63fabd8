"""The log lines of requests: each one's, where they are wanted, and that of a slow one.

What a client has sent is not in them: no variable, no text of a document, and of names the operation's.
"""

from __future__ import annotations

import logging
from typing import Any

from graphql_api.instruments.observation import Observation
from graphql_api.instruments.operations import LONGEST_NAME, name_of

_requests = logging.getLogger("reviews.requests")
_slow = logging.getLogger("reviews.slow")


def tell_request(observed: Observation, outcome: str, seconds: float) -> None:
    """Write the line of a request."""
    fields = _fields(observed, outcome, seconds)
    _requests.info("%s", _words(fields), extra={"fields": fields})


def tell_slow(observed: Observation, outcome: str, seconds: float) -> None:
    """Write the line of a slow operation, with each batch that it waited for."""
    fields = _fields(observed, outcome, seconds)
    statements = [
        {
            "loader": batch.loader,
            "keys": batch.keys,
            "waited_ms": _ms(batch.began - asked),
            # One that had not ended when the request did was given up.
            "duration_ms": _ms(batch.ended - batch.began) if batch.ended else None,
        }
        for asked, batch in observed.batches
    ]
    told = "; ".join(_words(statement) for statement in statements) or "none"
    extra = {"fields": {**fields, "statements": statements}}
    _slow.warning("slow: %s; statements: %s", _words(fields), told, extra=extra)


def _fields(observed: Observation, outcome: str, seconds: float) -> dict[str, Any]:
    name = name_of(observed.operation) if observed.operation else None
    return {
        "request_id": observed.request_id,
        "operation": name and name[:LONGEST_NAME],
        "hash": observed.document and observed.document.sha256,
        "cost": observed.cost,
        "duration_ms": _ms(seconds),
        "outcome": outcome,
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _words(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={'-' if value is None else value}" for name, value in fields.items())
