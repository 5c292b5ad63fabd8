"""AddReview: what is stored, what is refused, and what the answer carries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.databases import rows, run, value
from tests.harness.gateway import Gateway
from tests.harness.shop import OwnProduct, Shop

ADD = """
mutation ($input: AddReviewInput!) {
  addReview(input: $input) {
    review {
      id reviewId rating summary body recommended reviewerName response helpfulness
      photos { url } characteristicRatings { value label characteristic { kind } }
    }
    product { ratingSummary { average count recommendedCount } characteristics { kind average count } }
    userErrors { field code message }
  }
}
"""
BODY = "Fifty characters are the least that a review may have, and these are more."


def wanted(product: OwnProduct, **changes: Any) -> dict[str, Any]:
    """A good input for ``product``, with changes."""
    return {
        "productId": str(product.number),
        "rating": 4,
        "summary": "Good",
        "body": BODY,
        "recommended": True,
        "reviewerName": "someone",
        "reviewerEmail": "someone@example.com",
        "characteristics": [
            {"characteristicId": str(number), "value": 5} for number in product.characteristics.values()
        ],
        **changes,
    }


def add(gateway: Gateway, sent: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = gateway.data(ADD, input=sent)["addReview"]
    return answer


def problems(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Each problem as (path below input, code)."""
    return [(".".join(error["field"][1:]), error["code"]) for error in answer["userErrors"]]


def stored(gateway: Gateway, product: OwnProduct) -> tuple[int, int, int]:
    """How many reviews, photos and ratings the product has."""
    counts = [
        value(gateway.database, f"SELECT count(*) FROM {table} WHERE product_id = $1", product.number)
        for table in ("reviews", "photos", "ratings")
    ]
    return (counts[0], counts[1], counts[2])


def test_a_good_review_is_stored_and_the_answer_has_the_new_figures(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT", "QUALITY")
    shop.review(product, rating=1, recommended=False, values={"FIT": 1, "QUALITY": 2})

    sent = wanted(
        product,
        summary="  Good  ",
        photos=["https://photos.example/a.jpg", "http://photos.example/b.jpg"],
        characteristics=[
            {"characteristicId": str(product.characteristics["QUALITY"]), "value": 3},
            {"characteristicId": str(product.characteristics["FIT"]), "value": 5},
        ],
    )
    answer = add(gateway, sent)

    number = int(answer["review"].pop("reviewId"))
    assert number >= 1_000_000_000
    assert answer["review"].pop("id")
    assert answer == {
        "review": {
            "rating": 4,
            "summary": "Good",
            "body": BODY,
            "recommended": True,
            "reviewerName": "someone",
            "response": None,
            "helpfulness": 0,
            "photos": [{"url": "https://photos.example/a.jpg"}, {"url": "http://photos.example/b.jpg"}],
            "characteristicRatings": [
                {"value": 5, "label": "Runs long", "characteristic": {"kind": "FIT"}},
                {"value": 3, "label": "What I expected", "characteristic": {"kind": "QUALITY"}},
            ],
        },
        "product": {
            "ratingSummary": {"average": 2.5, "count": 2, "recommendedCount": 1},
            "characteristics": [
                {"kind": "FIT", "average": 3.0, "count": 2},
                {"kind": "QUALITY", "average": 2.5, "count": 2},
            ],
        },
        "userErrors": [],
    }
    assert stored(gateway, product) == (2, 2, 4)
    email = value(gateway.database, "SELECT reviewer_email FROM reviews WHERE review_id = $1", number)
    assert email == "someone@example.com"


def test_the_new_review_is_first_among_the_newest(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    shop.review(product)
    number = add(gateway, wanted(product))["review"]["reviewId"]
    listed = gateway.data(
        "query ($id: ID!) { product(id: $id) { reviews(sort: NEWEST) { nodes { reviewId } totalCount } } }",
        id=product.number,
    )["product"]["reviews"]
    assert (listed["nodes"][0]["reviewId"], listed["totalCount"]) == (number, 2)


def test_global_ids_name_the_product_and_its_characteristics_too(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("SIZE")
    ids = gateway.data("query ($id: ID!) { product(id: $id) { id characteristics { id } } }", id=product.number)
    sent = wanted(
        product,
        productId=ids["product"]["id"],
        characteristics=[{"characteristicId": ids["product"]["characteristics"][0]["id"], "value": 1}],
    )
    assert add(gateway, sent)["userErrors"] == []


def test_every_problem_comes_back_at_once_with_its_path_and_nothing_is_stored(gateway: Gateway, shop: Shop) -> None:
    product, other = shop.product("FIT", "LENGTH", "QUALITY"), shop.product("FIT")
    sent = wanted(
        product,
        rating=6,
        summary="s" * 61,
        body="b" * 49,
        reviewerName="   ",
        reviewerEmail="nobody",
        photos=["https://photos.example/a.jpg", "ftp://photos.example/b.jpg", "javascript:alert(1)"],
        characteristics=[
            {"characteristicId": str(product.characteristics["FIT"]), "value": 0},
            {"characteristicId": str(product.characteristics["FIT"]), "value": 2},
            {"characteristicId": str(other.characteristics["FIT"]), "value": 2},
            {"characteristicId": str(product.characteristics["QUALITY"]), "value": 2},
        ],
    )
    answer = add(gateway, sent)
    assert answer["review"] is None
    assert problems(answer) == [
        ("rating", "OUT_OF_RANGE"),
        ("summary", "TOO_LONG"),
        ("body", "TOO_SHORT"),
        ("reviewerName", "REQUIRED"),
        ("reviewerEmail", "INVALID"),
        ("photos.1", "INVALID"),
        ("photos.2", "INVALID"),
        ("characteristics.0.value", "OUT_OF_RANGE"),
        ("characteristics.1.characteristicId", "DUPLICATE"),
        ("characteristics.2.characteristicId", "NOT_FOUND"),
        ("characteristics", "REQUIRED"),
    ]
    assert answer["userErrors"][-1]["message"].endswith("missing: Length.")
    assert stored(gateway, product) == (0, 0, 0)


@pytest.mark.parametrize("product_id", ["999999999", "x", "-1", "9223372036854775808", "UmV2aWV3OjE6MQ"])
def test_an_unknown_product_is_named_beside_the_other_problems(gateway: Gateway, product_id: str) -> None:
    sent = wanted(OwnProduct(0, {"FIT": 1}), productId=product_id, rating=0)
    answer = add(gateway, sent)
    assert (problems(answer), answer["product"]) == ([("productId", "NOT_FOUND"), ("rating", "OUT_OF_RANGE")], None)


@pytest.mark.parametrize(
    ("field", "good", "bad", "code"),
    [
        ("summary", "s" * 60, "s" * 61, "TOO_LONG"),
        ("summary", "", "nul \x00", "INVALID"),
        ("body", "b" * 50, "b" * 49, "TOO_SHORT"),
        ("body", "b" * 1000, "b" * 1001, "TOO_LONG"),
        ("body", "é" * 50, " " * 60, "REQUIRED"),
        ("reviewerName", "n" * 60, "n" * 61, "TOO_LONG"),
        ("reviewerName", "\N{GRINNING FACE}" * 60, "", "REQUIRED"),
        ("reviewerEmail", "a" * 48 + "@example.com", "a" * 49 + "@example.com", "TOO_LONG"),
        ("reviewerEmail", "first.last+tag@mail.example.com", "first last@example.com", "INVALID"),
        ("reviewerEmail", "x@example.org", "x@", "INVALID"),
        ("reviewerEmail", "x@example.net", "", "REQUIRED"),
        ("photos", ["https://p.example/1"] * 5, ["https://p.example/1"] * 6, "TOO_MANY"),
        ("photos", [], ["https://"], "INVALID"),
        ("photos", None, ["https://p.example/a b"], "INVALID"),
        ("photos", ["HTTPS://p.example/1"], ["https://p.example/" + "x" * 2000], "TOO_LONG"),
        ("photos", ["https://[::1]/1"], ["https://[::1/1"], "INVALID"),
        ("photos", ["https://bücher.example/1"], ["http://<script>/"], "INVALID"),
        ("photos", ["https://p.example:8443/1"], ["http://user:word@p.example/1"], "INVALID"),
        ("rating", 1, 0, "OUT_OF_RANGE"),
        ("rating", 5, -5, "OUT_OF_RANGE"),
        ("idempotencyKey", "k" * 200, "k" * 201, "TOO_LONG"),
        ("idempotencyKey", None, "nul \x00", "INVALID"),
    ],
)
def test_each_limit_holds_on_both_of_its_sides(
    gateway: Gateway, shop: Shop, field: str, good: object, bad: object, code: str
) -> None:
    product = shop.product()
    assert add(gateway, wanted(product, **{field: good}))["userErrors"] == []
    ((path, found),) = problems(add(gateway, wanted(product, **{field: bad})))
    assert (path.split(".")[0], found) == (field, code)
    assert stored(gateway, product)[0] == 1


def test_a_text_comes_back_as_it_was_sent(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    body = (
        '\N{GRINNING FACE} <b>"Straße" 日本語 \u202eright to left\u202c\'; DROP TABLE reviews; -- \\ \t\n and on and on'
    )
    assert add(gateway, wanted(product, body=body))["review"]["body"] == body


def test_half_a_surrogate_pair_is_refused_before_it_is_read(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    sent = '{"query": "mutation { addReview(input: {body: \\"\\ud800\\"}) { userErrors { code } } }"}'
    response = gateway.http.post("/graphql", content=sent, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert stored(gateway, product)[0] == 0


def test_numbers_follow_each_other_from_the_gateways_line(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT")
    photos = {"photos": ["https://photos.example/1.jpg"]}
    first, second = (int(add(gateway, wanted(product, **photos))["review"]["reviewId"]) for _ in range(2))
    assert 1_000_000_000 <= first < second
    (photo,) = rows(gateway.database, "SELECT min(photo_id) FROM photos WHERE product_id = $1", product.number)
    (rating,) = rows(gateway.database, "SELECT min(rating_id) FROM ratings WHERE product_id = $1", product.number)
    assert photo[0] >= 1_000_000_000
    assert rating[0] >= 1_000_000_000


def test_fifty_copies_with_one_key_make_one_review(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT")
    sent = wanted(product, idempotencyKey="the same")
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: add(gateway, sent), range(50)))
    assert [answer["userErrors"] for answer in answers] == [[]] * 50
    assert len({answer["review"]["reviewId"] for answer in answers}) == 1
    assert stored(gateway, product) == (1, 0, 1)


def test_the_header_says_the_same_as_the_key_of_the_input(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    answers = [
        gateway.http.post(
            "/graphql",
            json={"query": ADD, "variables": {"input": wanted(product, **given)}},
            headers={"Idempotency-Key": "in the header"},
        ).json()["data"]["addReview"]
        for given in ({}, {"idempotencyKey": "in the header"}, {"idempotencyKey": "another"})
    ]
    quoted = gateway.http.post(
        "/graphql",
        json={"query": ADD, "variables": {"input": wanted(product)}},
        headers={"Idempotency-Key": '"in the header"'},
    ).json()["data"]["addReview"]
    assert quoted["review"]["reviewId"] == answers[0]["review"]["reviewId"]
    assert answers[0]["review"]["reviewId"] == answers[1]["review"]["reviewId"]
    assert problems(answers[2]) == [("idempotencyKey", "INVALID")]
    assert stored(gateway, product)[0] == 1


def test_a_key_with_another_input_is_a_conflict(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    assert add(gateway, wanted(product, idempotencyKey="k"))["userErrors"] == []
    answer = add(gateway, wanted(product, idempotencyKey="k", rating=1))
    assert (problems(answer), answer["review"]) == ([("idempotencyKey", "CONFLICT")], None)
    assert stored(gateway, product)[0] == 1


def test_a_key_belongs_to_its_product(gateway: Gateway, shop: Shop) -> None:
    products = [shop.product(), shop.product()]
    numbers = {add(gateway, wanted(p, idempotencyKey="k"))["review"]["reviewId"] for p in products}
    assert len(numbers) == 2


def test_a_key_gives_the_review_as_it_is_now(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    sent = wanted(product, idempotencyKey="k")
    number = add(gateway, sent)["review"]["reviewId"]
    run(gateway.database, "UPDATE reviews SET helpfulness = 7 WHERE review_id = $1", int(number))
    again = add(gateway, sent)
    assert (again["review"]["reviewId"], again["review"]["helpfulness"]) == (number, 7)


def test_a_key_outlives_a_change_of_the_catalogue(gateway: Gateway, shop: Shop) -> None:
    product = shop.product("FIT")
    sent = wanted(product, idempotencyKey="k")
    number = add(gateway, sent)["review"]["reviewId"]
    run(gateway.database, "INSERT INTO characteristics VALUES ($1, 499999, 'SIZE')", product.number)
    assert add(gateway, sent)["review"]["reviewId"] == number


def test_a_key_is_free_again_after_seven_days(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    sent = wanted(product, idempotencyKey="k")
    first = add(gateway, sent)["review"]["reviewId"]
    age = "UPDATE idempotency_keys SET created_at = now() - interval '7 days 1 second' WHERE product_id = $1"
    run(gateway.database, age, product.number)
    assert add(gateway, sent)["review"]["reviewId"] != first
    assert stored(gateway, product)[0] == 2


def test_a_refused_review_leaves_its_key_free(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    assert problems(add(gateway, wanted(product, idempotencyKey="k", rating=9))) == [("rating", "OUT_OF_RANGE")]
    assert add(gateway, wanted(product, idempotencyKey="k"))["userErrors"] == []


def test_a_new_key_removes_keys_of_its_product_that_have_expired(gateway: Gateway, shop: Shop) -> None:
    product, other = shop.product(), shop.product()
    for key in ("old", "older"):
        add(gateway, wanted(product, idempotencyKey=key))
    add(gateway, wanted(other, idempotencyKey="elsewhere"))
    numbers = [product.number, other.number]
    age = "UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE product_id = ANY ($1)"
    run(gateway.database, age, numbers)
    add(gateway, wanted(product, idempotencyKey="new"))
    keys = rows(gateway.database, "SELECT key FROM idempotency_keys WHERE product_id = ANY ($1) ORDER BY key", numbers)
    assert [row["key"] for row in keys] == ["elsewhere", "new"]
