"""Users who look at a category page: cards of twenty products."""

from __future__ import annotations

from locust import task

from perf.scenarios import checks
from perf.scenarios.visitor import Visitor

CARDS = 20


class CategoryVisitor(Visitor):
    """One page of cards a visit."""

    @task
    def visit(self) -> None:
        """Look at a page."""
        asked = self.products.neighbours(CARDS)
        self.read("ProductCards", {"ids": list(asked)}, lambda data: checks.products_asked_for(data["products"], asked))
