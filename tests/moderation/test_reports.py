"""How many reports hide a review, and which of them count."""

from __future__ import annotations

import pytest

from tests.harness.databases import rows
from tests.moderation.conftest import Moderated


def test_with_a_threshold_of_three_the_third_report_hides(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    hidden = [moderated.report(review, f"voter {n}", f"192.0.2.{n}", moderated.three) for n in range(3)]
    assert hidden == [False, False, True]


@pytest.mark.parametrize(
    ("reporters", "name"),
    [
        ([("a", "192.0.2.1"), ("b", "192.0.2.1"), ("c", "192.0.2.1")], "one client under three marks"),
        ([("a", "192.0.2.1"), ("a", "192.0.2.2"), ("a", "192.0.2.3")], "one mark from three clients"),
        ([(None, "192.0.2.1"), (None, "192.0.2.1"), (None, "192.0.2.1")], "one client without a mark"),
        ([("a", "2001:db8::1"), ("b", "2001:db8::2"), ("c", "2001:db8::3")], "one subscriber's network"),
    ],
)
def test_reports_of_one_are_one(moderated: Moderated, reporters: list[tuple[str | None, str]], name: str) -> None:
    review = moderated.shop.review(moderated.shop.product())
    assert [moderated.report(review, *one, moderated.three) for one in reporters] == [False] * 3, name


def test_three_clients_without_marks_are_three(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    assert [moderated.report(review, None, f"192.0.2.{n}", moderated.three) for n in range(3)] == [False, False, True]


def test_of_who_votes_and_reports_a_keyed_hash_is_kept_and_no_address(moderated: Moderated) -> None:
    review, other = moderated.shop.reviews(moderated.shop.product(), [{}, {}])
    moderated.vote(review, "a", "198.51.100.7")
    moderated.report(review, "a", "198.51.100.7")
    moderated.report(other, "a", "198.51.100.8")
    kept = rows(
        moderated.url,
        "SELECT voter, client FROM helpful_votes WHERE review_id = $1"
        " UNION ALL SELECT voter, client FROM reports WHERE review_id = ANY ($2)",
        review,
        [review, other],
    )
    assert len({voter for voter, _ in kept}) == 1
    assert [len(client) for _, client in kept] == [32] * 3
    assert len({client for _, client in kept}) == 2
    assert not any(b"198.51" in mark for row in kept for mark in row)


def test_a_report_says_whether_it_found_the_review_visible(moderated: Moderated) -> None:
    review = moderated.shop.review(moderated.shop.product())
    moderated.report(review, "a", "192.0.2.1")
    moderated.report(review, "b", "192.0.2.2")
    found = rows(moderated.url, "SELECT found_visible FROM reports WHERE review_id = $1 ORDER BY report_id", review)
    assert [visible for (visible,) in found] == [True, False]
