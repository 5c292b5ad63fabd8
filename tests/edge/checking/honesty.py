"""What an error says: its codes, and whether it is one that a fault of the database may cause."""

from __future__ import annotations

import json

from tests.edge.checking.client import Response

PASSING = frozenset({"SERVICE_UNAVAILABLE", "TIMEOUT", "OVERLOADED"})
"""What a client may be told while a part is away."""


def codes_of(answer: Response) -> list[str]:
    """The ``extensions.code`` of each error; "none" where one has none, or the answer is no JSON."""
    try:
        errors = json.loads(answer.body)["errors"]
        return [str(error["extensions"]["code"]) for error in errors] or ["none"]
    except (ValueError, LookupError, TypeError):
        return ["none"]


def is_honest(answer: Response) -> bool:
    """Whether the error is coded, passing, and, as a 503, says when to come again."""
    if answer.status not in {200, 503, 504}:
        return False
    if answer.status == 503 and b"\r\nretry-after:" not in answer.head.lower():
        return False
    return PASSING.issuperset(codes_of(answer))
