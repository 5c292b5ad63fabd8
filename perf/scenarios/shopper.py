"""Users who look at a product: its page, the next reviews, another sort, one star, a search."""

from __future__ import annotations

import random
import re

from locust import task

from perf.scenarios import checks
from perf.scenarios.checks import Json
from perf.scenarios.visitor import Visitor
from perf.scenarios.writer import SIGNED

FIRST = 5
_MORE_PAGES = 2
_WORD = re.compile(r"[A-Za-z]{4,}")


class Shopper(Visitor):
    """One product a visit, and one step on its page after each pause."""

    @task
    def visit(self) -> None:
        """Look at a product."""
        asked = self.products.one()

        def check(data: Json) -> None:
            checks.product_asked_for(data["product"], asked)
            checks.figures(data["product"])
            checks.page(data["product"]["reviews"]["nodes"], FIRST, "RELEVANT")

        product = self.read("ProductPage", {"id": asked, "first": FIRST}, check)["product"]
        if product["reviews"]["nodes"]:
            for step in (self._next_pages, self._other_sort, self._one_star, self._search):
                self.wait()
                step(product)

    def _reviews(self, product: Json, label: str, sort: str = "RELEVANT", **narrowed: Json) -> Json:
        return self._more(product, label, [], {"sort": sort, **narrowed})

    def _more(self, product: Json, label: str, seen: list[Json], variables: Json) -> Json:
        def check(data: Json) -> None:
            checks.product_asked_for(data["product"], product["id"])
            nodes, narrowed = data["product"]["reviews"]["nodes"], variables.get("filter", {})
            checks.page(nodes, FIRST, variables["sort"], seen)
            if "ratings" in narrowed:
                checks.stars(nodes, narrowed["ratings"])
            if "search" in narrowed:
                checks.holds_word(nodes, narrowed["search"])

        answer = self.read("MoreReviews", {"id": product["id"], "first": FIRST, **variables}, check, label)
        reviews: Json = answer["product"]["reviews"]
        return reviews

    def _next_pages(self, product: Json) -> None:
        reviews, seen = product["reviews"], list(product["reviews"]["nodes"])
        for _ in range(_MORE_PAGES):
            if not reviews["pageInfo"]["hasNextPage"]:
                return
            after = {"sort": "RELEVANT", "after": reviews["pageInfo"]["endCursor"]}
            reviews = self._more(product, "MoreReviews, next page", seen, after)
            seen += reviews["nodes"]
            self.wait()

    def _other_sort(self, product: Json) -> None:
        self._reviews(product, "MoreReviews, other sort", random.choice(checks.SORTS[1:]))

    def _one_star(self, product: Json) -> None:
        star = random.choice([one["rating"] for one in product["ratingSummary"]["histogram"] if one["count"]])
        self._reviews(product, "MoreReviews, one star", filter={"ratings": [star]})

    def _search(self, product: Json) -> None:
        # What writers add may be reported again before it is searched for.
        lasting = (review for review in product["reviews"]["nodes"] if review["reviewerName"] != SIGNED)
        words = [word for review in lasting for word in _WORD.findall(review["body"])]
        if words:
            self._reviews(product, "MoreReviews, search", filter={"search": random.choice(words)})
