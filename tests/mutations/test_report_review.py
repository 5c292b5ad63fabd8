"""ReportReview: the review disappears everywhere, and is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.harness.databases import rows, value
from tests.harness.gateway import Gateway
from tests.harness.shop import Shop

REPORT = """
mutation ($input: ReportReviewInput!) {
  reportReview(input: $input) {
    deletedReviewId
    product {
      productId
      ratingSummary { count average recommendedCount }
      characteristics { count average }
      reviews { totalCount nodes { reviewId } }
      reviewPhotos { totalCount nodes { photoId } }
    }
    userErrors { field code }
  }
}
"""


def report(gateway: Gateway, review: object, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = gateway.data(REPORT, input={"reviewId": review, **more})["reportReview"]
    return answer


def test_a_reported_review_leaves_every_list_and_figure(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT")
    seen, hidden = shop.reviews(
        product,
        [
            {"rating": 2, "values": {"FIT": 2}},
            {"rating": 5, "values": {"FIT": 5}, "photos": 2, "recommended": True},
        ],
    )
    global_id = gateway.data("query ($id: ID!) { review(id: $id) { id } }", id=hidden)["review"]["id"]

    answer = report(gateway, hidden, voter="a", reason="spam")

    assert answer == {
        "deletedReviewId": global_id,
        "product": {
            "productId": str(product.number),
            "ratingSummary": {"count": 1, "average": 2.0, "recommendedCount": 1},
            "characteristics": [{"count": 1, "average": 2.0}],
            "reviews": {"totalCount": 1, "nodes": [{"reviewId": str(seen)}]},
            "reviewPhotos": {"totalCount": 0, "nodes": []},
        },
        "userErrors": [],
    }
    assert gateway.data("query ($id: ID!) { review(id: $id) { id } node(id: $id) { id } }", id=global_id) == {
        "review": None,
        "node": None,
    }
    assert value(gateway.database, "SELECT count(*) FROM reviews WHERE product_id = $1", product.number) == 2
    assert rows(gateway.database, "SELECT reason FROM reports WHERE review_id = $1", hidden)[0][0] == "spam"


def test_a_second_report_gives_the_same_payload_and_no_error(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    first = report(gateway, review, voter="a")
    assert report(gateway, review, voter="a") == first
    assert report(gateway, review) == first
    assert report(gateway, first["deletedReviewId"], voter="b") == first


def test_a_review_that_the_files_hid_already_gives_the_same_payload(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product(), reported=True)
    answer = report(gateway, review)
    assert (answer["userErrors"], answer["product"]["ratingSummary"]["count"]) == ([], 0)
    assert answer["deletedReviewId"] is not None


def test_fifty_reports_at_once_hide_one_review_once(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT")
    review, _ = shop.reviews(product, [{"values": {"FIT": 1}}, {"values": {"FIT": 3}}])
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: report(gateway, review, voter="a"), range(50)))
    assert {answer["product"]["ratingSummary"]["count"] for answer in answers} == {1}
    assert {answer["product"]["characteristics"][0]["average"] for answer in answers} == {3.0}
    assert value(gateway.database, "SELECT count(*) FROM reports WHERE review_id = $1", review) == 1


def test_an_unknown_review_is_not_found(gateway: Gateway) -> None:
    assert report(gateway, "77777777777") == {
        "deletedReviewId": None,
        "product": None,
        "userErrors": [{"field": ["input", "reviewId"], "code": "NOT_FOUND"}],
    }


def test_a_reason_of_1001_characters_hides_nothing(gateway: Gateway, shop: Shop) -> None:
    review = shop.review(shop.product())
    answer = report(gateway, review, reason="r" * 1001)
    assert (answer["deletedReviewId"], answer["userErrors"]) == (
        None,
        [{"field": ["input", "reason"], "code": "TOO_LONG"}],
    )
    assert value(gateway.database, "SELECT reported FROM reviews WHERE review_id = $1", review) is False
