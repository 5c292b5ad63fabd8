"""A shop with a product that nobody changes, to be read, and one that shoppers write to."""

from __future__ import annotations

import itertools
from typing import Any

from tests.clients.visits import Operation
from tests.harness.shop import Shop

QUERIES = ("ProductPage", "MoreReviews", "ProductCards")
MUTATIONS = ("AddReview", "MarkReviewHelpful", "ReportReview")

_BODY = "Fifty characters are the least that a review may have, and these are more."
_shoppers = itertools.count(1)


class Storefront:
    """The rows in the database of ``url``, and the operations that a visit runs on them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._shop = Shop(url)
        self.read = self._shop.product("FIT", "QUALITY", name="A product to read")
        self.written = self._shop.product("FIT", name="A product to write to")
        self._shop.reviews(
            self.read, [{"summary": "Größe passt", "photos": 1, "values": {"FIT": 3, "QUALITY": 4}} for _ in range(7)]
        )

    def queries(self) -> list[Operation]:
        """The front end's queries, the same each time."""
        return [
            {"name": "ProductPage", "variables": {"id": str(self.read.number), "sort": "NEWEST"}},
            {
                "name": "MoreReviews",
                "variables": {"id": str(self.read.number), "first": 3, "filter": {"ratings": [3], "search": "größe"}},
            },
            {"name": "ProductCards", "variables": {"ids": [str(self.read.number)]}},
        ]

    def mutations(self) -> list[Operation]:
        """The front end's mutations by another shopper each time, on a review that no one else votes on or reports."""
        shopper = f"shopper {next(_shoppers)}"
        review = self._shop.review(self.written, summary="To be voted on, then reported")
        return [
            {"name": "AddReview", "variables": {"input": self._new_review(shopper)}},
            {"name": "MarkReviewHelpful", "variables": {"input": {"reviewId": str(review), "voter": shopper}}},
            {"name": "ReportReview", "variables": {"input": {"reviewId": str(review)}}},
        ]

    def operations(self) -> list[Operation]:
        """What one visit runs: the queries, then the mutations."""
        return [*self.queries(), *self.mutations()]

    def _new_review(self, shopper: str) -> dict[str, Any]:
        return {
            "productId": str(self.written.number),
            "rating": 4,
            "summary": "Good",
            "body": _BODY,
            "recommended": True,
            "reviewerName": shopper,
            "reviewerEmail": "someone@example.com",
            "characteristics": [
                {"characteristicId": str(number), "value": 5} for number in self.written.characteristics.values()
            ],
            "idempotencyKey": shopper,
        }
