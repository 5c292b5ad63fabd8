"""The committed documents: what each costs in statements, and that the cost does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import graphql_api.documents
from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, recorded_statements, running_gateway
from tests.harness.shop import OwnProduct, Shop
from tests.mutations.test_add_review import wanted

FOLDER = Path(graphql_api.documents.__file__).parent
DOCUMENTS = {path.stem: path.read_text() for path in FOLDER.glob("*.graphql")}


def stocked(shop: Shop, reviews: int) -> OwnProduct:
    """A product whose reviews all have photos and ratings."""
    product = shop.product("FIT", "QUALITY")
    shop.reviews(product, [{"photos": 2, "values": {"FIT": 3, "QUALITY": 4}} for _ in range(reviews)])
    return product


def cost(gateway: Gateway, name: str, variables: dict[str, Any]) -> Counter[str]:
    """How often each statement ran for one request of the document ``name``."""
    with recorded_statements() as statements:
        gateway.data(DOCUMENTS[name], **variables)
    return Counter(statements)


@dataclass(frozen=True)
class Read:
    """The variables that ask for some products, and what a request costs when a plan runs it, or graphql-core."""

    variables: Callable[[list[OwnProduct]], dict[str, Any]]
    compiled: dict[str, int]
    reference: dict[str, int]


READS = {
    "ProductPage": Read(
        lambda products: {"id": products[0].number, "first": 10},
        {"products by id with characteristics and figures and reviews": 1},
        {
            "products by id": 1,
            "figures by product": 1,
            "characteristics by product": 1,
            "reviews by product, relevant": 1,
            "photos by review": 1,
            "ratings by review": 1,
        },
    ),
    "MoreReviews": Read(
        lambda products: {"id": products[0].number, "first": 10, "filter": {"ratings": [3], "search": "nothing"}},
        {
            "products by id with figures": 1,
            "reviews by product, relevant": 1,
            "review counts of a search": 1,
        },
        {
            "products by id": 1,
            "characteristics by product": 1,
            "reviews by product, relevant": 1,
            "review counts of a search": 1,
            "photos by review": 1,
            "ratings by review": 1,
        },
    ),
    "ProductCards": Read(
        lambda products: {"ids": [product.number for product in products]},
        {"products by id with characteristics and figures": 1},
        {"products by id": 1, "figures by product": 1, "characteristics by product": 1},
    ),
}


@pytest.fixture(scope="module")
def by_execution(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gateway]]:
    """The gateway, and one on the same database that runs everything on graphql-core."""
    state = tmp_path_factory.mktemp("reference")
    with running_gateway(Settings(database_url=Secret(gateway.database), state=state, execution="reference")) as other:
        yield {"compiled": gateway, "reference": other}


@pytest.mark.parametrize("execution", ["compiled", "reference"])
@pytest.mark.parametrize("name", READS)
def test_a_read_costs_its_statements_whatever_the_rows(
    by_execution: dict[str, Gateway], shop: Shop, name: str, execution: str
) -> None:
    gateway, variables = by_execution[execution], READS[name].variables
    expected = getattr(READS[name], execution)
    assert cost(gateway, name, variables([stocked(shop, 5)])) == expected
    assert cost(gateway, name, variables([stocked(shop, 10), stocked(shop, 10)])) == expected


@pytest.mark.parametrize(("execution", "statements"), [("compiled", 1), ("reference", 3)])
def test_a_hundred_cards_cost_as_many_statements_as_one(
    by_execution: dict[str, Gateway], shop: Shop, execution: str, statements: int
) -> None:
    products = [shop.product("FIT", "QUALITY") for _ in range(100)]
    variables = {"ids": [product.number for product in products]}
    assert cost(by_execution[execution], "ProductCards", variables).total() == statements


def test_add_review_costs_its_statements_whatever_the_photos_and_ratings(gateway: Gateway, shop: Shop) -> None:
    def sent(product: OwnProduct, photos: int) -> dict[str, Any]:
        return {"input": wanted(product, photos=["https://photos.example/1.jpg"] * photos)}

    expected = {
        "product to review": 1,
        "review stored": 1,
        "recorded by transaction": 1,
        "reviews by id with photos and ratings": 1,
        "products by id with characteristics and figures": 1,
        "characteristics by product": 1,
    }
    assert cost(gateway, "AddReview", sent(shop.product("FIT"), 1)) == expected
    assert cost(gateway, "AddReview", sent(shop.product("FIT", "SIZE", "QUALITY"), 5)) == expected


def test_a_helpful_vote_costs_its_statements(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(stocked(shop, 3))
    assert cost(gateway, "MarkReviewHelpful", {"input": {"reviewId": review, "voter": "a"}}) == {
        "vote by number": 1,
        "recorded by transaction": 1,
        "reviews by id": 1,
    }


def test_a_report_costs_its_statements_whatever_the_rows(gateway: Gateway, shop: Shop) -> None:
    expected = {
        "review locked by number": 1,
        "report": 1,
        "reports counted": 1,
        "review hidden": 1,
        "recorded by transaction": 1,
        "products by id with characteristics and figures": 1,
    }
    for reviews in (5, 10):
        review = shop.review(stocked(shop, reviews))
        assert cost(gateway, "ReportReview", {"input": {"reviewId": review}}) == expected


def test_every_document_has_its_cost_held_here() -> None:
    assert set(DOCUMENTS) == {*READS, "AddReview", "MarkReviewHelpful", "ReportReview"}
