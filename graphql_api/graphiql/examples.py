"""The operations that GraphiQL opens with, one a tab: the documents of the shop's front end, with variables that the
sample catalogue answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"

_VARIABLES: Mapping[str, Mapping[str, object]] = {
    "ProductPage": {"id": "2", "first": 5, "sort": "RELEVANT"},
    "MoreReviews": {
        "id": "2",
        "first": 2,
        "after": None,
        "sort": "NEWEST",
        "filter": {"ratings": [3, 4], "search": "the"},
    },
    "ProductCards": {"ids": ["1", "2", "4", "5", "7"]},
    "AddReview": {
        "input": {
            "productId": "2",
            "rating": 5,
            "summary": "Dark enough for any future",
            "body": "I wore them on the brightest day of the year and could still read the menu outside.",
            "recommended": True,
            "reviewerName": "sunny",
            "reviewerEmail": "sunny@example.com",
            "photos": [],
            "characteristics": [{"characteristicId": "5", "value": 5}],
        }
    },
    "MarkReviewHelpful": {"input": {"reviewId": "3", "voter": "graphiql"}},
}


@dataclass(frozen=True, slots=True)
class Example:
    """A document's text, which holds one operation called ``name``, and its variables."""

    name: str
    query: str
    variables: Mapping[str, object]


def examples() -> tuple[Example, ...]:
    """The tabs, left to right, read from the ``.graphql`` files of ``graphql_api/documents``."""
    return tuple(
        Example(name, (_DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8"), variables)
        for name, variables in _VARIABLES.items()
    )
