"""Users who write, and read their own writes back through the same address."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

from locust import task

from perf.scenarios import checks
from perf.scenarios.checks import Json, expect
from perf.scenarios.visitor import Visitor

SIGNED = "Load test"
"""The name under the reviews that are added."""
_READ = 100
_VOTES, _REVIEWS, _REPORTS = 6, 3, 1


class Writer(Visitor):
    """Votes for reviews of the shop, adds reviews, and reports of those that it added itself."""

    def on_start(self) -> None:
        """Begin with nothing added."""
        self._added: list[tuple[str, str]] = []

    @task(_VOTES)
    def vote(self) -> None:
        """Find a review helpful."""
        # A vote changes no place in this order, and added reviews have five stars: what was there is still there.
        place = {"id": self.products.one(), "first": _READ, "sort": "LOWEST_RATED"}
        nodes = self._reviews(place, "MoreReviews, to vote", lambda _: None)
        lasting = [review for review in nodes if review["reviewerName"] != SIGNED]
        if not lasting:
            return
        chosen = random.choice(lasting)

        def counted(data: Json) -> None:
            payload = data["markReviewHelpful"]
            _accepted(payload)
            expect(payload["review"]["id"] == chosen["id"], "another review than the one voted for")
            expect(payload["review"]["helpfulness"] > chosen["helpfulness"], "a vote that does not count")

        self.wait()
        sent = {"reviewId": chosen["id"], "voter": str(uuid.uuid4())}
        answer = self.write("MarkReviewHelpful", {"input": sent}, counted)
        votes = answer["markReviewHelpful"]["review"]["helpfulness"]

        def shown(nodes: list[Json]) -> None:
            review = checks.by_id(nodes, chosen["id"])
            expect(review is not None and review["helpfulness"] >= votes, "an acknowledged vote is not shown")

        self._reviews(place, "MoreReviews, own vote", shown)

    @task(_REVIEWS)
    def add(self) -> None:
        """Write a review, and send it a second time as a client does that had no answer."""
        asked = self.products.one()
        product = self.read(
            "ProductPage", {"id": asked}, lambda data: checks.product_asked_for(data["product"], asked)
        )["product"]
        key, sent = str(uuid.uuid4()), _review_of(product)

        def stored(data: Json) -> None:
            payload = data["addReview"]
            _accepted(payload)
            kept = all(payload["review"][name] == sent[name] for name in ("rating", "summary", "body", "recommended"))
            expect(kept, "a review that says something else than was sent")
            checks.product_asked_for(payload["product"], product["id"])

        self.wait()
        review = self.write("AddReview", {"input": sent}, stored, Idempotency_Key=key)["addReview"]["review"]
        self._newest(product["id"], "MoreReviews, own review", review["id"], is_there=True)
        self._added.append((product["id"], review["id"]))

        def same(data: Json) -> None:
            stored(data)
            expect(data["addReview"]["review"]["id"] == review["id"], "a second review for the same key")

        self.write("AddReview", {"input": sent}, same, Idempotency_Key=key)

    @task(_REPORTS)
    def report(self) -> None:
        """Report a review that this user added."""
        if not self._added:
            return
        product, review = self._added.pop()

        def hidden(data: Json) -> None:
            _accepted(data["reportReview"])
            expect(data["reportReview"]["deletedReviewId"] == review, "a report that hides nothing")

        self.write("ReportReview", {"input": {"reviewId": review, "voter": str(uuid.uuid4())}}, hidden)
        self._newest(product, "MoreReviews, own report", review, is_there=False)

    def _newest(self, product: str, label: str, review: str, *, is_there: bool) -> None:
        def check(nodes: list[Json]) -> None:
            found = checks.by_id(nodes, review) is not None
            said = "an acknowledged review is not shown" if is_there else "a hidden review is shown"
            expect(found == is_there, said)

        self._reviews({"id": product, "first": _READ, "sort": "NEWEST"}, label, check)

    def _reviews(self, place: Json, label: str, check: Callable[[list[Json]], object]) -> list[Json]:
        def checked(data: Json) -> None:
            expect(data["product"] is not None, "no product where one was asked for")
            nodes = data["product"]["reviews"]["nodes"]
            checks.page(nodes, place["first"], place["sort"])
            check(nodes)

        nodes: list[Json] = self.read("MoreReviews", place, checked, label)["product"]["reviews"]["nodes"]
        return nodes


def _accepted(payload: Json) -> None:
    expect(payload["userErrors"] == [], f"refused: {', '.join(error['code'] for error in payload['userErrors'])}")


def _review_of(product: Json) -> Json:
    return {
        "productId": product["id"],
        "rating": 5,
        "summary": f"Load test {uuid.uuid4()}",
        "body": "Written by a load test, and long enough to be a review that the gateway takes as one.",
        "recommended": True,
        "reviewerName": SIGNED,
        "reviewerEmail": "load-test@example.com",
        "characteristics": [
            {"characteristicId": one["id"], "value": random.randint(1, 5)} for one in product["characteristics"]
        ],
    }
