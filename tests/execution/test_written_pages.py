"""Pages of reviews that PostgreSQL writes: the same bytes as those that a plan writes, in fewer statements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loaders.review_selection import SORTS
from tests.harness.gateway import Gateway, recorded_statements
from tests.harness.shop import START, OwnProduct, Shop

NODES = """
nodes {
  __typename id number: reviewId rating summary body recommended reviewerName createdAt response helpfulness
  photos { __typename id photoId url }
  characteristicRatings { __typename value label characteristic { __typename id characteristicId kind } }
}
"""
FIELDS = f"{NODES} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} totalCount"
QUERY = """
query Written(
  $id: ID!, $first: Int, $last: Int, $after: String, $before: String, $sort: ReviewSort, $filter: ReviewFilter
) {
  product(id: $id) {
    name
    reviews(first: $first, last: $last, after: $after, before: $before, sort: $sort, filter: $filter) { %s }
  }
}
"""
TEXTS = ['He said "no" \\ and\tleft.\r\n', "\x01\x1f\x7f", "é 你好 👍 \u2028\u2029", "</script> %s {} $1 :x '", ""]
Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def product(gateway: Gateway) -> OwnProduct:
    """With reviews that differ in all that is shown."""
    shop = Shop(gateway.database)
    own = shop.product("FIT", "WIDTH", "SIZE")
    shop.reviews(
        own,
        [
            {
                "rating": place % 5 + 1,
                "created_at": START + timedelta(days=place % 4, microseconds=999_999 - place),
                "summary": TEXTS[place % 5],
                "body": f"{TEXTS[(place + 1) % 5]} It keeps me warm.",
                "reviewer_name": TEXTS[(place + 2) % 5],
                "response": None if place % 3 else TEXTS[(place + 3) % 5],
                "recommended": place % 2 == 0,
                "helpfulness": place % 3,
                "photos": place % 3,
                "values": {
                    kind: value % 5 + 1 for value, kind in enumerate(("FIT", "WIDTH", "SIZE")[: place % 4], place)
                },
            }
            for place in range(12)
        ],
    )
    return own


def sent(gateway: Gateway, text: str, variables: dict[str, Any], *, by_hash: bool) -> bytes:
    """The body of the answer, which has no errors."""
    body: dict[str, Any] = {"query": text, "variables": variables}
    if by_hash:
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        body["extensions"] = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    answered = gateway.http.post("/graphql", json=body)
    assert "errors" not in answered.json(), answered.json()["errors"]
    return answered.content


@pytest.fixture
def agreed(gateway: Gateway, product: OwnProduct) -> Asked:
    """Asks for reviews of the product both ways; their bytes are the same. Gives what they hold."""

    def ask(fields: str = FIELDS, **variables: Any) -> dict[str, Any]:
        text = QUERY % fields
        variables = {"id": product.number, **variables}
        found = sent(gateway, text, variables, by_hash=True)
        # Another text, which no hash stands for.
        assert found == sent(gateway, f"{text}# by its text", variables, by_hash=False)
        page: dict[str, Any] = gateway.http.post("/graphql", json={"query": text, "variables": variables}).json()
        shown: dict[str, Any] = page["data"]["product"]["reviews"]
        return shown

    return ask


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("window", [{"first": 5}, {"last": 5}, {"first": 100}, {"last": 12}, {"first": 12}, {}])
def test_a_page_is_the_same_in_every_sort(agreed: Asked, sort: str, window: dict[str, int]) -> None:
    page = agreed(sort=sort, **window)
    assert len(page["nodes"]) == (min(*window.values(), 12) if window else 5)
    # Nothing lies beyond what is read of it then, so it comes in one piece.
    assert agreed(NODES, sort=sort, **window) == {"nodes": page["nodes"]}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    ("size", "cursor", "bound"), [("first", "endCursor", "after"), ("last", "startCursor", "before")]
)
def test_pages_are_the_same_along_cursors(agreed: Asked, sort: str, size: str, cursor: str, bound: str) -> None:
    place, seen = None, []
    while place is not None or not seen:
        page = agreed(sort=sort, **{size: 5, bound: place})
        assert agreed(NODES, sort=sort, **{size: 5, bound: place}) == {"nodes": page["nodes"]}
        seen += [node["number"] for node in page["nodes"]]
        place = page["pageInfo"][cursor] if len(page["nodes"]) == 5 else None
    assert len(set(seen)) == len(seen) == 12


@pytest.mark.parametrize(
    ("filter_", "count"),
    [
        ({"ratings": [3]}, 2),
        ({"ratings": [1, 5], "recommended": True}, 3),
        ({"withPhotos": True}, 8),
        ({"search": "warm"}, 12),
        ({"search": "nobody says this"}, 0),
    ],
)
def test_filters_are_the_same(agreed: Asked, filter_: dict[str, Any], count: int) -> None:
    page = agreed(first=100, filter=filter_)
    assert (len(page["nodes"]), page["totalCount"]) == (count, count)


@pytest.mark.parametrize(
    "fields",
    [
        "nodes { rating }",
        "nodes { rating rating stars: rating }",
        "pageInfo { endCursor } nodes { id }",
        "nodes { __typename }",
        "nodes { photos { url } }",
        "nodes { ... on Review { characteristicRatings { label } } ... { rating } }",
        "nodes { rating } again: nodes { summary }",
        "nodes { rating } edges { cursor node { body } }",
        "nodes { rating product { name } }",
        "nodes { characteristicRatings { characteristic { average } } }",
        "nodes { photos { review { rating } } }",
        "pageInfo { hasNextPage }",
    ],
)
def test_any_selection_is_the_same(gateway: Gateway, product: OwnProduct, fields: str) -> None:
    text, variables = QUERY % fields, {"id": product.number, "first": 7}
    bodies = set()
    for more in (
        {},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}},
    ):
        asked = {"query": text, "operationName": "Written", "variables": variables, **more}
        answered = gateway.http.post("/graphql", json=asked)
        assert "errors" not in answered.json()
        bodies.add(answered.content)
    assert len(bodies) == 1


def test_a_product_without_reviews_and_one_that_is_not_there_are_the_same(gateway: Gateway, shop: Shop) -> None:
    for number, expected in ((shop.product().number, b'"nodes":[]'), (999_999_999, b'{"data":{"product":null}}')):
        found = sent(gateway, QUERY % FIELDS, {"id": number}, by_hash=True)
        assert found == sent(gateway, f"{QUERY % FIELDS}# by its text", {"id": number}, by_hash=False)
        assert expected in found


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(1, 1, 1, 0, 0, 0, 1_000, UTC), "0001-01-01T00:00:00.001Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 998_999, UTC), "9999-12-31T23:59:59.998Z"),
        # The driver writes these two as -infinity and infinity.
        (datetime.min, "0001-01-01T00:00:00.000Z"),  # noqa: DTZ901 - the driver's
        (datetime.max, "9999-12-31T23:59:59.999Z"),  # noqa: DTZ901 - the same
    ],
)
def test_the_first_and_the_last_moments_are_the_same(
    gateway: Gateway, shop: Shop, moment: datetime, shown: str
) -> None:
    own = shop.product()
    shop.review(own, created_at=moment)
    text, variables = QUERY % "nodes { createdAt }", {"id": own.number}
    found = sent(gateway, text, variables, by_hash=True)
    assert found == sent(gateway, f"{text}# by its text", variables, by_hash=False)
    assert f'"createdAt":"{shown}"'.encode() in found


def test_the_page_comes_with_its_product_and_what_holds_a_cursor_or_a_filter_beside_it(
    gateway: Gateway, product: OwnProduct, agreed: Asked
) -> None:
    cursor = agreed(first=5)["pageInfo"]["endCursor"]
    for variables, expected in (
        ({}, ["products by id with figures and reviews"]),
        ({"sort": "NEWEST", "last": 3}, ["products by id with figures and reviews"]),
        ({"after": cursor}, ["products by id with figures", "reviews by product, relevant"]),
        ({"filter": {"recommended": True}}, ["products by id with figures", "reviews by product, relevant"]),
    ):
        with recorded_statements() as statements:
            sent(gateway, QUERY % FIELDS, {"id": product.number, **variables}, by_hash=True)
        assert sorted(statements) == expected


def test_a_text_gets_statements_of_its_own_only_when_a_hash_stands_for_it(
    gateway: Gateway, product: OwnProduct
) -> None:
    text = f"{QUERY % FIELDS}# once without its hash"
    asked = []
    for by_hash in (False, True, False):
        with recorded_statements() as statements:
            sent(gateway, text, {"id": product.number}, by_hash=by_hash)
        asked.append([one for one in statements if "review" in one])
    of_all = ["reviews by product, relevant with photos and ratings"]
    of_its_own = ["products by id with figures and reviews"]
    assert asked == [of_all, of_its_own, of_its_own]
