"""MarkReviewHelpful: one vote per voter, and the review as it stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.databases import rows, run, value
from tests.harness.gateway import Gateway
from tests.harness.shop import Shop

MARK = """
mutation ($input: MarkReviewHelpfulInput!) {
  markReviewHelpful(input: $input) { review { reviewId helpfulness } userErrors { field code } }
}
"""


def mark(gateway: Gateway, review: object, voter: str | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = gateway.data(MARK, input={"reviewId": review, "voter": voter})["markReviewHelpful"]
    return answer


def test_a_vote_counts_and_the_answer_shows_it(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product(), helpfulness=4)
    assert mark(gateway, review, "a") == {"review": {"reviewId": str(review), "helpfulness": 5}, "userErrors": []}


def test_the_same_voter_again_is_a_duplicate_and_counts_nothing(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    mark(gateway, review, "a")
    assert mark(gateway, review, " a ") == {
        "review": {"reviewId": str(review), "helpfulness": 1},
        "userErrors": [{"field": ["input", "voter"], "code": "DUPLICATE"}],
    }


def test_fifty_copies_of_one_voters_vote_count_once(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: mark(gateway, review, "a"), range(50)))
    assert [answer["review"]["helpfulness"] for answer in answers] == [1] * 50
    assert sorted(len(answer["userErrors"]) for answer in answers) == [0] + [1] * 49


def test_fifty_voters_at_once_count_fifty(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda n: mark(gateway, review, f"voter {n}"), range(50)))
    assert [answer["userErrors"] for answer in answers] == [[]] * 50
    assert mark(gateway, review, "voter 0")["review"]["helpfulness"] == 50


def test_without_a_voter_each_call_counts(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    assert [mark(gateway, review)["review"]["helpfulness"] for _ in range(3)] == [1, 2, 3]
    assert mark(gateway, review, "  ")["review"]["helpfulness"] == 4


def test_a_voters_mark_is_stored_as_a_keyed_hash(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    mark(gateway, review, "shopper@example.com")
    (row,) = rows(gateway.database, "SELECT voter FROM helpful_votes WHERE review_id = $1", review)
    assert len(row[0]) == 32
    assert b"shopper" not in row[0]


@pytest.mark.parametrize("review", ["0", "99999999999", "x", "UHJvZHVjdDox"])
def test_an_unknown_review_is_not_found(gateway: Gateway, review: str) -> None:
    assert mark(gateway, review, "a") == {
        "review": None,
        "userErrors": [{"field": ["input", "reviewId"], "code": "NOT_FOUND"}],
    }


def test_a_hidden_review_is_not_found_and_not_counted(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product(), reported=True)
    assert mark(gateway, review, "a")["userErrors"][0]["code"] == "NOT_FOUND"
    assert value(gateway.database, "SELECT helpfulness FROM reviews WHERE review_id = $1", review) == 0


def test_a_voter_of_201_characters_is_too_long_and_stores_nothing(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    assert mark(gateway, review, "v" * 201)["userErrors"] == [{"field": ["input", "voter"], "code": "TOO_LONG"}]
    assert mark(gateway, review, "v" * 200)["review"]["helpfulness"] == 1


def test_two_votes_of_one_request_each_answer_with_their_own_state(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    answer = gateway.data(
        """mutation ($id: ID!) {
          first: markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } }
          second: markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } }
        }""",
        id=review,
    )
    assert (answer["first"]["review"]["helpfulness"], answer["second"]["review"]["helpfulness"]) == (1, 2)


def test_a_vote_raises_the_relevance_by_ninety_days_a_doubling(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    relevance = "SELECT relevance FROM reviews WHERE review_id = $1"
    before = value(gateway.database, relevance, review)
    run(gateway.database, "UPDATE reviews SET helpfulness = 3 WHERE review_id = $1", review)
    assert value(gateway.database, relevance, review) == before + 180
