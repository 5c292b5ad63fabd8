"""What must hold of an answer besides its status. Nothing here asks anything."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

SORTS = ("RELEVANT", "NEWEST", "HELPFUL", "HIGHEST_RATED", "LOWEST_RATED")
_DOUBLING_DAYS = 90
_DAY_S = 86_400
_ROUNDED_DAYS = 1e-6
"""What the server's and our logarithms may differ by."""

Json = dict[str, Any]


class WrongAnswerError(Exception):
    """An answer that should not be; the sentence says what is wrong with it."""


def expect(holds: object, sentence: str) -> None:
    """Raise ``WrongAnswerError`` with ``sentence`` unless it holds."""
    if not holds:
        raise WrongAnswerError(sentence)


def data_of(status: int, body: Any) -> Json:
    """The data of an answer that has no errors."""
    if isinstance(body, dict) and body.get("errors"):
        code = body["errors"][0].get("extensions", {}).get("code", "no code")
        raise WrongAnswerError(f"{status} with an error: {code}")
    expect(status == 200, f"{status} instead of 200")
    expect(isinstance(body, dict) and isinstance(body.get("data"), dict), "an answer without data")
    data: Json = body["data"]
    return data


def product_asked_for(product: Json | None, asked: str) -> None:
    """``asked`` is a global id or a plain number."""
    expect(product is not None, "no product where one was asked for")
    assert product is not None
    expect(asked in {product["id"], product.get("productId")}, "another product than the one asked for")


def products_asked_for(products: Sequence[Json | None], asked: Sequence[str]) -> None:
    """Each in its place."""
    expect(len(products) == len(asked), "fewer or more cards than products asked for")
    for product, one in zip(products, asked, strict=True):
        product_asked_for(product, one)


def figures(product: Json) -> None:
    """A product's average and histogram fit its count of reviews."""
    summary = product["ratingSummary"]
    by_star = {one["rating"]: one["count"] for one in summary["histogram"]}
    expect(sum(by_star.values()) == summary["count"], "a histogram that does not add up to the count")
    if summary["count"]:
        average = sum(star * count for star, count in by_star.items()) / summary["count"]
        # The server rounds to at most two places.
        expect(abs(average - summary["average"]) < 0.011, "an average that the histogram does not have")


def page(nodes: Sequence[Json], first: int, sort: str, after: Sequence[Json] = ()) -> None:
    """At most ``first`` reviews in the order of ``sort``, none of them among those ``after`` which they come."""
    expect(len(nodes) <= first, "more reviews than asked for")
    seen = {review["id"] for review in after}
    expect(len({review["id"] for review in nodes} | seen) == len(nodes) + len(seen), "a review a second time")
    walked = [*after[-1:], *nodes]
    for before, behind in pairwise(walked):
        expect(in_order(before, behind, sort), f"reviews that are not in the order {sort}")


def in_order(before: Json, behind: Json, sort: str) -> bool:
    """Whether two reviews stand in the order of ``sort``."""
    if sort == "RELEVANT":
        return _relevance(before) >= _relevance(behind) - _ROUNDED_DAYS
    return _place(before, sort) > _place(behind, sort)


def _relevance(review: Json) -> float:
    """In days."""
    created = datetime.fromisoformat(review["createdAt"]).timestamp() / _DAY_S
    return created + _DOUBLING_DAYS * math.log2(1 + review["helpfulness"])


def _place(review: Json, sort: str) -> tuple[int, str, int]:
    key = {
        "NEWEST": 0,
        "HELPFUL": review["helpfulness"],
        "HIGHEST_RATED": review["rating"],
        "LOWEST_RATED": -review["rating"],
    }[sort]
    return key, review["createdAt"], int(review["reviewId"])


def stars(nodes: Sequence[Json], wanted: Collection[int]) -> None:
    """Every review has one of the stars asked for."""
    expect(all(review["rating"] in wanted for review in nodes), "a review with other stars than asked for")


def holds_word(nodes: Sequence[Json], word: str) -> None:
    """Every review holds the word that was searched for."""
    found = (f"{review['summary']} {review['body']}".lower() for review in nodes)
    expect(all(word.lower() in text for text in found), "a review without the word searched for")


def by_id(nodes: Sequence[Json], wanted: str) -> Json | None:
    """The review of that id."""
    return next((review for review in nodes if review["id"] == wanted), None)
