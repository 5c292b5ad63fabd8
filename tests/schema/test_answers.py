"""Answers over the sample catalogue, worked out by hand from its CSV files."""

from __future__ import annotations

from tests.harness.gateway import Gateway

FIGURES = """
query ($id: ID!) {
  product(id: $id) {
    ratingSummary { average count histogram { count } recommendedCount recommendedRatio }
    characteristics { kind average count distribution }
    reviews { totalCount nodes { reviewId } }
  }
}
"""


def figures(gateway: Gateway, product: str) -> dict:
    answer = gateway.data(FIGURES, id=product)["product"]
    answer["histogram"] = [bar["count"] for bar in answer["ratingSummary"].pop("histogram")]
    return answer


def test_product_2_has_the_figures_of_its_five_reviews(gateway: Gateway) -> None:
    assert figures(gateway, "2") == {
        "ratingSummary": {"average": 3.6, "count": 5, "recommendedCount": 3, "recommendedRatio": 0.6},
        "histogram": [0, 1, 1, 2, 1],
        "characteristics": [{"kind": "QUALITY", "average": 4.2, "count": 5, "distribution": [0, 0, 1, 2, 2]}],
        # Review 5 is the latest by far, and 5 helpful votes are worth 233 days.
        "reviews": {
            "totalCount": 5,
            "nodes": [{"reviewId": "5"}, {"reviewId": "3"}, {"reviewId": "7"}, {"reviewId": "4"}, {"reviewId": "6"}],
        },
    }


def test_product_7_hides_its_reported_review_from_lists_and_figures(gateway: Gateway) -> None:
    # Review 14 (1 star, not recommended; 2, 5, 5, 3) is reported; review 13 rates 3, 4, 5, 4.
    assert figures(gateway, "7") == {
        "ratingSummary": {"average": 5.0, "count": 1, "recommendedCount": 1, "recommendedRatio": 1.0},
        "histogram": [0, 0, 0, 0, 1],
        "characteristics": [
            {"kind": "SIZE", "average": 3.0, "count": 1, "distribution": [0, 0, 1, 0, 0]},
            {"kind": "WIDTH", "average": 4.0, "count": 1, "distribution": [0, 0, 0, 1, 0]},
            {"kind": "COMFORT", "average": 5.0, "count": 1, "distribution": [0, 0, 0, 0, 1]},
            {"kind": "QUALITY", "average": 4.0, "count": 1, "distribution": [0, 0, 0, 1, 0]},
        ],
        "reviews": {"totalCount": 1, "nodes": [{"reviewId": "13"}]},
    }


def test_product_3_has_no_reviews_and_says_so_with_nulls_and_zeros(gateway: Gateway) -> None:
    assert figures(gateway, "3") == {
        "ratingSummary": {"average": None, "count": 0, "recommendedCount": 0, "recommendedRatio": None},
        "histogram": [0, 0, 0, 0, 0],
        "characteristics": [
            {"kind": kind, "average": None, "count": 0, "distribution": [0, 0, 0, 0, 0]}
            for kind in ("FIT", "LENGTH", "COMFORT", "QUALITY")
        ],
        "reviews": {"totalCount": 0, "nodes": []},
    }


def test_a_product_shows_what_the_shop_says_of_it(gateway: Gateway) -> None:
    answer = gateway.data("{ product(id: 1) { productId name slogan category defaultPrice } }")
    assert answer["product"] == {
        "productId": "1",
        "name": "Camo Onesie",
        "slogan": "Blend in to your crowd",
        "category": "Jackets",
        "defaultPrice": "140.00",
    }


def test_a_price_has_two_places_however_large_it_is(gateway: Gateway) -> None:
    assert gateway.data("{ product(id: 10) { defaultPrice } }")["product"] == {"defaultPrice": "5000000.00"}


def test_a_review_shows_its_photos_and_ratings_in_the_order_of_their_numbers(gateway: Gateway) -> None:
    review = gateway.data(
        """{ review(id: 10) {
          rating summary body recommended reviewerName createdAt response helpfulness
          product { productId }
          photos { photoId url review { reviewId } }
          characteristicRatings { value label characteristic { characteristicId kind } }
        } }"""
    )["review"]
    # The file has photo 8 before photo 7.
    assert [photo["photoId"] for photo in review["photos"]] == ["7", "8", "9"]
    assert {photo["review"]["reviewId"] for photo in review.pop("photos")} == {"10"}
    assert review == {
        "rating": 2,
        "summary": "These pants are ok!",
        "body": "A little tight on the waist.",
        "recommended": False,
        "reviewerName": "bigbrother",
        "createdAt": "2020-06-24T05:45:54.987Z",
        "response": None,
        "helpfulness": 2,
        "product": {"productId": "4"},
        "characteristicRatings": [
            {"value": 5, "label": "Runs long", "characteristic": {"characteristicId": "10", "kind": "FIT"}},
            {"value": 5, "label": "Runs long", "characteristic": {"characteristicId": "11", "kind": "LENGTH"}},
            {"value": 5, "label": "Perfect", "characteristic": {"characteristicId": "12", "kind": "COMFORT"}},
            {"value": 5, "label": "Perfect", "characteristic": {"characteristicId": "13", "kind": "QUALITY"}},
        ],
    }


def test_the_merchants_answer_is_null_where_the_file_says_null(gateway: Gateway) -> None:
    answer = gateway.data("{ one: review(id: 1) { response } three: review(id: 3) { response } }")
    assert answer == {"one": {"response": None}, "three": {"response": "Glad you're enjoying the product!"}}


def test_a_reported_review_cannot_be_looked_up(gateway: Gateway) -> None:
    assert gateway.data("{ review(id: 14) { rating } }") == {"review": None}


def test_a_review_without_a_product_was_never_loaded(gateway: Gateway) -> None:
    assert gateway.data("{ review(id: 15) { rating } product(id: 12) { name } }") == {"review": None, "product": None}


def test_the_photos_of_a_product_come_newest_review_first(gateway: Gateway) -> None:
    # Product 4: review 9 (2020-12-30) has photos 4, 5, 6, review 10 (2020-06-24) has 7, 8, 9.
    photos = gateway.data("{ product(id: 4) { reviewPhotos { totalCount nodes { photoId } } } }")
    assert photos["product"]["reviewPhotos"] == {
        "totalCount": 6,
        "nodes": [{"photoId": number} for number in ("4", "5", "6", "7", "8", "9")],
    }


def test_the_categories_come_by_name_with_their_counts(gateway: Gateway) -> None:
    counted = {
        row["name"]: row["productCount"] for row in gateway.data("{ categories { name productCount } }")["categories"]
    }
    sample = ("Accessories", "Dress Shoes", "Jackets", "Kicks", "Pants")
    assert [counted[name] for name in sample] == [2, 1, 1, 4, 2]
    assert list(counted) == sorted(counted)


def test_products_come_in_the_order_asked_with_null_for_the_unknown(gateway: Gateway) -> None:
    answer = gateway.data('{ products(ids: ["7", "999", "1", "7", "x"]) { productId } }')
    assert answer["products"] == [{"productId": "7"}, None, {"productId": "1"}, {"productId": "7"}, None]


def test_equal_arguments_that_are_spelt_otherwise_each_get_their_own_answer(gateway: Gateway) -> None:
    query = '{ a: product(id: "1") { ratingSummary { count } } b: product(id: 1) { characteristics { __typename } } }'
    data = gateway.data(query)
    assert data["a"] == gateway.data("{ product(id: 1) { ratingSummary { count } } }")["product"]
    assert data["b"] == gateway.data("{ product(id: 1) { characteristics { __typename } } }")["product"]
