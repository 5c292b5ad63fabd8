"""What the load test's checks find wrong with an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perf.scenarios import checks
from perf.scenarios.checks import WrongAnswerError


def review(number: int, **given: Any) -> dict[str, Any]:
    """A review of 1 January 2021 with four stars and no votes, unless ``given`` says otherwise."""
    usual = {"id": f"r{number}", "reviewId": str(number), "rating": 4, "helpfulness": 0, "summary": "", "body": ""}
    return {**usual, "createdAt": "2021-01-01T00:00:00.000Z", **given}


def product(average: float, counts: list[int]) -> dict[str, Any]:
    """A product's figures, counts of one star first."""
    histogram = [{"rating": star, "count": count} for star, count in enumerate(counts, 1)]
    return {"ratingSummary": {"count": 3, "average": average, "histogram": histogram}}


LATER = "2021-01-02T00:00:00.000Z"
WRONG: dict[str, Callable[[], object]] = {
    "503 with an error: SERVICE_UNAVAILABLE": lambda: checks.data_of(
        503, {"errors": [{"extensions": {"code": "SERVICE_UNAVAILABLE"}}]}
    ),
    "404 instead of 200": lambda: checks.data_of(404, {}),
    "an answer without data": lambda: checks.data_of(200, {"data": None}),
    "no product where one was asked for": lambda: checks.product_asked_for(None, "1"),
    "another product than the one asked for": lambda: checks.products_asked_for(
        [{"id": "b", "productId": "2"}, {"id": "a", "productId": "1"}], ["1", "2"]
    ),
    "fewer or more cards than products asked for": lambda: checks.products_asked_for([], ["1"]),
    "a histogram that does not add up to the count": lambda: checks.figures(product(4.0, [0, 0, 0, 2, 0])),
    "an average that the histogram does not have": lambda: checks.figures(product(4.1, [0, 0, 0, 3, 0])),
    "more reviews than asked for": lambda: checks.page([review(2), review(1)], 1, "NEWEST"),
    "a review a second time": lambda: checks.page([review(2)], 5, "NEWEST", [review(2)]),
    "reviews that are not in the order RELEVANT": lambda: checks.page(
        [review(2, createdAt=LATER), review(1, helpfulness=1)], 5, "RELEVANT"
    ),
    "reviews that are not in the order NEWEST": lambda: checks.page([review(1), review(2)], 5, "NEWEST"),
    "reviews that are not in the order HELPFUL": lambda: checks.page(
        [review(2)], 5, "HELPFUL", [review(3, createdAt=LATER), review(1)]
    ),
    "reviews that are not in the order HIGHEST_RATED": lambda: checks.page(
        [review(2, rating=3), review(1)], 5, "HIGHEST_RATED"
    ),
    "reviews that are not in the order LOWEST_RATED": lambda: checks.page(
        [review(2), review(1, rating=3)], 5, "LOWEST_RATED"
    ),
    "a review with other stars than asked for": lambda: checks.stars([review(1)], [5]),
    "a review without the word searched for": lambda: checks.holds_word([review(1, body="Fine shoes")], "hat"),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_answer_is_named(sentence: str) -> None:
    with pytest.raises(WrongAnswerError) as wrong:
        WRONG[sentence]()
    assert str(wrong.value) == sentence


def test_a_vote_is_worth_ninety_days_in_the_order_of_relevance() -> None:
    voted = review(1, helpfulness=1)
    assert checks.in_order(voted, review(2, createdAt="2021-03-31T00:00:00.000Z"), "RELEVANT")
    assert not checks.in_order(voted, review(2, createdAt="2021-04-02T00:00:00.000Z"), "RELEVANT")


def test_right_answers_pass() -> None:
    assert checks.data_of(200, {"data": {"a": 1}}) == {"a": 1}
    checks.products_asked_for([{"id": "a", "productId": "1"}, {"id": "b"}], ["1", "b"])
    checks.figures(product(4.0, [0, 0, 1, 1, 1]))
    checks.page([review(2), review(1)], 2, "NEWEST", [review(3)])
    checks.stars([review(1)], [4])
    checks.holds_word([review(1, body="Fine Shoes")], "shoe")
