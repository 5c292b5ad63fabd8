"""The committed documents: what each costs in statements, and that the cost does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import graphql_api.documents
from tests.harness.gateway import Gateway, recorded_statements
from tests.harness.shop import OwnProduct, Shop

FOLDER = Path(graphql_api.documents.__file__).parent
DOCUMENTS = {path.stem: path.read_text() for path in FOLDER.glob("*.graphql")}
BODY = "Fifty characters are the least that a review may have, and these are more."


def stocked(shop: Shop, reviews: int) -> OwnProduct:
    """A product whose reviews all have photos and ratings."""
    product = shop.product("FIT", "QUALITY")
    shop.reviews(product, [{"photos": 2, "values": {"FIT": 3, "QUALITY": 4}} for _ in range(reviews)])
    return product


def cost(gateway: Gateway, name: str, variables: dict[str, Any]) -> Counter[str]:
    """How often each statement ran for one request of the document ``name``; writes by their first three words."""
    with recorded_statements() as statements:
        gateway.data(DOCUMENTS[name], **variables)
    return Counter(s if s[0].islower() else " ".join(s.split()[:3]).lower() for s in statements)


READS: dict[str, tuple[Callable[[list[OwnProduct]], dict[str, Any]], dict[str, int]]] = {
    "ProductPage": (
        lambda products: {"id": products[0].number, "first": 10},
        {
            "products by id": 1,
            "figures by product": 1,
            "characteristics by product": 1,
            "reviews by product, relevant": 1,
            "photos by review": 1,
            "ratings by review": 1,
        },
    ),
    "MoreReviews": (
        lambda products: {"id": products[0].number, "first": 10, "filter": {"ratings": [3], "search": "nothing"}},
        {
            "products by id": 1,
            "characteristics by product": 1,
            "reviews by product, relevant": 1,
            "review counts of a search": 1,
            "photos by review": 1,
            "ratings by review": 1,
        },
    ),
    "ProductCards": (
        lambda products: {"ids": [product.number for product in products]},
        {"products by id": 1, "figures by product": 1, "characteristics by product": 1},
    ),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_costs_its_statements_whatever_the_rows(gateway: Gateway, shop: Shop, name: str) -> None:
    variables, expected = READS[name]
    assert cost(gateway, name, variables([stocked(shop, 5)])) == expected
    assert cost(gateway, name, variables([stocked(shop, 10), stocked(shop, 10)])) == expected


def test_a_hundred_cards_with_figures_and_characteristics_cost_three_statements(gateway: Gateway, shop: Shop) -> None:
    products = [shop.product("FIT", "QUALITY") for _ in range(100)]
    assert cost(gateway, "ProductCards", {"ids": [product.number for product in products]}).total() == 3


def test_add_review_costs_its_statements_whatever_the_photos_and_ratings(gateway: Gateway, shop: Shop) -> None:
    def sent(product: OwnProduct, photos: int) -> dict[str, Any]:
        return {
            "input": {
                "productId": product.number,
                "rating": 4,
                "summary": "Good",
                "body": BODY,
                "recommended": True,
                "reviewerName": "someone",
                "reviewerEmail": "someone@example.com",
                "photos": ["https://photos.example/1.jpg"] * photos,
                "characteristics": [
                    {"characteristicId": number, "value": 5} for number in product.characteristics.values()
                ],
            }
        }

    expected = {
        "select products.product_id from": 1,
        "select characteristics.characteristic_id, characteristics.kind": 1,
        "select nextval('review_numbers') as": 1,
        "insert into reviews": 1,
        "insert into photos": 1,
        "insert into ratings": 1,
        "reviews by id": 1,
        "products by id": 1,
        "photos by review": 1,
        "ratings by review": 1,
        "characteristics by product": 1,
        "figures by product": 1,
    }
    assert cost(gateway, "AddReview", sent(shop.product("FIT"), 1)) == expected
    assert cost(gateway, "AddReview", sent(shop.product("FIT", "SIZE", "QUALITY"), 5)) == expected


def test_a_helpful_vote_costs_its_statements(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(stocked(shop, 3))
    assert cost(gateway, "MarkReviewHelpful", {"input": {"reviewId": review, "voter": "a"}}) == {
        "select reviews.product_id, reviews.review_id,": 1,
        "insert into helpful_votes": 1,
        "update reviews set": 1,
        "reviews by id": 1,
    }


def test_a_report_costs_its_statements_whatever_the_rows(gateway: Gateway, shop: Shop) -> None:
    expected = {
        "select reviews.product_id, reviews.review_id,": 1,
        "insert into reports": 1,
        "update reviews set": 1,
        "products by id": 1,
        "figures by product": 1,
        "characteristics by product": 1,
    }
    for reviews in (5, 10):
        review = shop.review(stocked(shop, reviews))
        assert cost(gateway, "ReportReview", {"input": {"reviewId": review}}) == expected


def test_every_document_has_its_cost_held_here() -> None:
    assert set(DOCUMENTS) == {*READS, "AddReview", "MarkReviewHelpful", "ReportReview"}
