"""Pages of a product's reviews, held against lists that are worked out here from the same rows."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.databases import run
from tests.harness.gateway import Gateway, recorded_rows
from tests.harness.pages import (
    PAGE,
    Seen,
    numbers_of,
    pages_backward,
    pages_forward,
    seen,
    walk_backward,
    walk_forward,
)
from tests.harness.review_lists import DAY, SORTS, Row, listed
from tests.harness.shop import START, OwnProduct, Shop

_ARGUMENTS = "first: $first, after: $after, last: $last, before: $before, sort: $sort, filter: $filter"
_VARIABLES = (
    "$product: ID!, $first: Int, $after: String, $last: Int, $before: String, $sort: ReviewSort, $filter: ReviewFilter"
)
_NUMBER = "reviewId"
REVIEWS = (
    f"query ({_VARIABLES}) {{ product(id: $product) {{ reviews({_ARGUMENTS}) {{ {PAGE % (_NUMBER, _NUMBER)} }} }} }}"
)
COUNTS = """
query ($product: ID!, $filter: ReviewFilter) {
  product(id: $product) { reviews(filter: $filter) { totalCount ratingCounts { rating count } } }
}
"""
# 90 days apart, so that votes and recency weigh exactly the same; and a microsecond apart.
TIMES = (START, START + 90 * DAY, START + 180 * DAY, START + 45.5 * DAY, START + timedelta(microseconds=1))
SEARCHES = ("warm", "WARMTH", "cold", "coat")
REVIEW = st.fixed_dictionaries(
    {
        "rating": st.integers(1, 5),
        "created_at": st.sampled_from(TIMES),
        "helpfulness": st.sampled_from((0, 0, 1, 3, 4)),
        "recommended": st.booleans(),
        "reported": st.sampled_from((False, False, False, True)),
        "photos": st.sampled_from((0, 0, 1, 2)),
        "summary": st.sampled_from(("Warm coat", "Warmth!", "Cold", "")),
        "body": st.sampled_from(("It keeps me warm.", "So-so, cold", "Coats!")),
    }
)
REVIEW_LISTS = st.integers(0, 40).flatmap(lambda count: st.lists(REVIEW, min_size=count, max_size=count))
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "ratings": st.none() | st.lists(st.integers(1, 5), max_size=6),
        "recommended": st.none() | st.booleans(),
        "withPhotos": st.none() | st.booleans(),
        "search": st.none() | st.sampled_from(SEARCHES),
    },
)
SIZES = st.integers(1, 7) | st.integers(1, 100)


def written(gateway: Gateway, many: list[Row]) -> tuple[OwnProduct, dict[int, Row]]:
    """A product with these reviews, and the reviews by number."""
    shop = Shop(gateway.database)
    product = shop.product()
    return product, dict(zip(shop.reviews(product, many), many, strict=True))


def reviews(gateway: Gateway, product: OwnProduct, **arguments: Any) -> dict[str, Any]:
    connection: dict[str, Any] = gateway.data(REVIEWS, product=str(product.number), **arguments)["product"]["reviews"]
    return connection


def refusal(gateway: Gateway, product: OwnProduct, **arguments: Any) -> str:
    """The message of a refusal, which leaves the product null and has the code of bad input."""
    answer = gateway.send(REVIEWS, product=str(product.number), **arguments)
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == ({"product": None}, ["product", "reviews"])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    message: str = error["message"]
    return message


@pytest.fixture(scope="module")
def forty(gateway: Gateway) -> tuple[OwnProduct, dict[int, Row]]:
    """A product whose forty reviews are of every kind."""
    dice = random.Random(7)
    kinds = itertools.cycle(itertools.product(range(1, 6), (False, True), (0, 1)))
    many = [
        {
            "rating": rating,
            "recommended": recommended,
            "photos": photos,
            "created_at": dice.choice(TIMES),
            "helpfulness": dice.choice((0, 1, 3)),
            "summary": dice.choice(("Warm coat", "Cold")),
            "body": "Nothing else.",
            "reported": number % 9 == 0,
        }
        for number, (rating, recommended, photos) in zip(range(40), kinds, strict=False)
    ]
    return written(gateway, many)


@pytest.fixture(scope="module")
def seven(gateway: Gateway) -> tuple[OwnProduct, list[int]]:
    """A product with seven reviews, and their numbers from the newest."""
    shop = Shop(gateway.database)
    product = shop.product()
    return product, shop.reviews(product, [{}] * 7)[::-1]


Seven = tuple[OwnProduct, list[int]]


def cursor(gateway: Gateway, product: OwnProduct, place: int, sort: str = "NEWEST") -> str:
    """The cursor of the review at ``place``, from 0."""
    found: str = reviews(gateway, product, first=100, sort=sort)["edges"][place]["cursor"]
    return found


# --- The walk


@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=20, deadline=None)
@given(many=REVIEW_LISTS, wanted=FILTERS, size=SIZES)
def test_a_walk_in_either_direction_shows_every_match_once_and_in_order(
    gateway: Gateway, sort: str, many: list[Row], wanted: Row, size: int
) -> None:
    product, rows = written(gateway, many)
    expected = listed(rows, sort, **wanted)
    ask = partial(reviews, gateway, product, sort=sort, filter=wanted)
    assert walk_forward(ask, size) == pages_forward(expected, size)
    assert walk_backward(ask, size) == pages_backward(expected, size)


@settings(max_examples=40, deadline=None)
@given(many=REVIEW_LISTS, wanted=FILTERS)
def test_the_counts_are_those_of_the_rows_that_match(gateway: Gateway, many: list[Row], wanted: Row) -> None:
    product, rows = written(gateway, many)
    counts = gateway.data(COUNTS, product=str(product.number), filter=wanted)["product"]["reviews"]
    assert counts == {
        "totalCount": len(listed(rows, "NEWEST", **wanted)),
        "ratingCounts": [
            {"rating": stars, "count": len(listed(rows, "NEWEST", **{**wanted, "ratings": [stars]}))}
            for stars in range(1, 6)
        ],
    }


@pytest.mark.parametrize("sort", SORTS)
def test_every_part_of_the_filter_combines_with_every_other(
    gateway: Gateway, forty: tuple[OwnProduct, dict[int, Row]], sort: str
) -> None:
    product, rows = forty
    parts = itertools.product(
        (None, [5], [1, 3, 3], [2, 4, 5]), (None, True, False), (None, True, False), ("cold", None)
    )
    for values in parts:
        wanted = dict(zip(("ratings", "recommended", "withPhotos", "search"), values, strict=True))
        page = reviews(gateway, product, first=100, sort=sort, filter=wanted)
        assert seen(page) == pages_forward(listed(rows, sort, **wanted), 100)[0], wanted


# --- While rows are written

ACTIONS = st.sampled_from(("insert", "delete", "delete the last one seen", "report", "vote"))
CHANGES = st.lists(st.lists(st.tuples(ACTIONS, st.integers(0, 39), REVIEW), max_size=3), max_size=12)
DELETE = "DELETE FROM reviews WHERE product_id = $1 AND review_id = $2"
VOTE = "mutation ($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { userErrors { code } } }"
REPORT = "mutation ($id: ID!) { reportReview(input: {reviewId: $id}) { userErrors { code } } }"


class ChangingProduct:
    """A product that is written to while somebody walks along its reviews."""

    def __init__(self, gateway: Gateway, sort: str, many: list[Row]) -> None:
        self.gateway, self.sort = gateway, sort
        self.product, self.rows = written(gateway, many)
        self.moved: set[int] = set()

    def change(self, action: str, choice: int, new: Row, last_seen: int) -> None:
        """Write once."""
        there = listed(self.rows, self.sort)
        if action == "insert":
            Shop(self.gateway.database).review(self.product, **new)
        elif there:
            number = there[choice % len(there)]
            if action == "vote":
                self.gateway.data(VOTE, id=str(number))
                if self.sort in {"RELEVANT", "HELPFUL"}:
                    self.moved.add(number)
                return
            if action == "report":
                self.gateway.data(REPORT, id=str(number))
            else:
                number = last_seen if action == "delete the last one seen" and last_seen in there else number
                run(self.gateway.database, DELETE, self.product.number, number)
            del self.rows[number]

    def unmoved(self) -> list[int]:
        """What was there all the time, in its order."""
        return [number for number in listed(self.rows, self.sort) if number not in self.moved]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=6, deadline=None)
@given(many=REVIEW_LISTS, size=st.integers(1, 6), changes=CHANGES)
def test_writes_between_pages_make_a_walk_skip_or_repeat_nothing_that_kept_its_place(
    gateway: Gateway, sort: str, backward: bool, many: list[Row], size: int, changes: list[list[tuple[str, int, Row]]]
) -> None:
    changing = ChangingProduct(gateway, sort, many)
    count, bound, end, more = ("first", "after", "endCursor", "hasNextPage")
    if backward:
        count, bound, end, more = ("last", "before", "startCursor", "hasPreviousPage")
    walked: list[int] = []
    place, between = None, iter(changes)
    while True:
        page = reviews(gateway, changing.product, sort=sort, **{count: size, bound: place})
        walked += numbers_of(page)[:: -1 if backward else 1]
        if not page["pageInfo"][more]:
            break
        place = page["pageInfo"][end]
        for action, choice, new in next(between, []):
            changing.change(action, choice, new, walked[-1])
    kept = changing.unmoved()[:: -1 if backward else 1]
    assert [number for number in walked if number in kept] == kept
    in_place = [number for number in walked if number not in changing.moved]
    assert len(set(in_place)) == len(in_place)


def test_a_page_starts_where_its_cursor_was_after_the_cursors_review_is_deleted(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    numbers = shop.reviews(product, [{}] * 4)[::-1]
    after = cursor(gateway, product, 1)
    run(gateway.database, DELETE, product.number, numbers[1])
    page = reviews(gateway, product, first=1, after=after, sort="NEWEST")
    assert seen(page) == Seen([numbers[2]], has_previous=True, has_next=True)


def test_nothing_precedes_a_page_once_all_that_preceded_it_is_deleted(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    numbers = shop.reviews(product, [{}] * 3)[::-1]
    after = cursor(gateway, product, 0)
    run(gateway.database, DELETE, product.number, numbers[0])
    page = reviews(gateway, product, first=2, after=after, sort="NEWEST")
    assert seen(page) == Seen(numbers[1:], has_previous=False, has_next=False)


# --- The arguments


def test_a_page_has_five_reviews_unless_asked_otherwise(gateway: Gateway, seven: Seven) -> None:
    product, numbers = seven
    page = reviews(gateway, product, sort="NEWEST")
    assert seen(page) == Seen(numbers[:5], has_previous=False, has_next=True)


def test_the_order_is_relevance_unless_asked_otherwise(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    # Three votes are worth 180 days: more than the 179 that the first is older, less than the 181 of the second.
    many = [{"created_at": START + days * DAY, "helpfulness": votes} for days, votes in ((2, 3), (0, 3), (181, 0))]
    first, second, latest = shop.reviews(product, many)
    assert numbers_of(reviews(gateway, product)) == [first, latest, second]


def test_a_page_may_have_a_hundred_reviews(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    numbers = shop.reviews(product, [{}] * 101)[::-1]
    for arguments, expected in (
        ({"first": 100}, Seen(numbers[:100], has_previous=False, has_next=True)),
        ({"last": 100}, Seen(numbers[1:], has_previous=True, has_next=False)),
    ):
        assert seen(reviews(gateway, product, sort="NEWEST", **arguments)) == expected


def test_null_counts_as_absent_for_every_argument(gateway: Gateway, forty: tuple[OwnProduct, dict[int, Row]]) -> None:
    product, rows = forty
    nulls: Row = dict.fromkeys(("first", "after", "last", "before", "sort", "filter"))
    parts: Row = dict.fromkeys(("ratings", "recommended", "withPhotos", "search"))
    expected = Seen(listed(rows, "RELEVANT")[:5], has_previous=False, has_next=True)
    assert seen(reviews(gateway, product, **nulls)) == expected
    assert seen(reviews(gateway, product, **{**nulls, "filter": parts})) == expected


def test_no_stars_at_all_count_as_absent(gateway: Gateway, seven: Seven) -> None:
    product, _ = seven
    counts = gateway.data(COUNTS, product=str(product.number), filter={"ratings": []})["product"]["reviews"]
    assert (counts["totalCount"], [row["count"] for row in counts["ratingCounts"]]) == (7, [0, 0, 7, 0, 0])


# The seven reviews are at the places 0 to 6; the cursors are those of places 1 and 5.
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"first": 2, "after": 1, "before": 5}, slice(2, 4)),
        ({"last": 2, "after": 1, "before": 5}, slice(3, 5)),
        ({"first": 3, "after": 1, "before": 5}, slice(2, 5)),
        ({"first": 2, "before": 5}, slice(0, 2)),
        ({"last": 2, "after": 1}, slice(5, 7)),
        ({"before": 5}, slice(0, 5)),
        ({"before": 6}, slice(1, 6)),
        ({"after": 1}, slice(2, 7)),
        ({"first": 5, "after": 5, "before": 1}, slice(6, 1)),
        ({"first": 5, "after": 6}, slice(7, 7)),
        ({"last": 5, "before": 0}, slice(0, 0)),
    ],
)
def test_a_page_lies_between_its_cursors(gateway: Gateway, seven: Seven, arguments: Row, expected: slice) -> None:
    product, numbers = seven
    places = {name: cursor(gateway, product, arguments[name]) for name in ("after", "before") if name in arguments}
    page = reviews(gateway, product, sort="NEWEST", **{**arguments, **places})
    assert seen(page) == Seen(
        numbers[expected],
        has_previous=expected.start > 0,
        has_next=expected.stop < 7,
    )


def test_a_cursor_is_taken_under_another_filter(gateway: Gateway, forty: tuple[OwnProduct, dict[int, Row]]) -> None:
    product, rows = forty
    everything = listed(rows, "HELPFUL")
    after = cursor(gateway, product, 9, "HELPFUL")
    page = reviews(gateway, product, first=100, after=after, sort="HELPFUL", filter={"recommended": False})
    expected = [number for number in everything[10:] if not rows[number]["recommended"]]
    assert seen(page) == Seen(expected, has_previous=True, has_next=False)


# --- What is refused


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [101, 0, -1, 2**31 - 1])
def test_a_page_of_no_or_too_many_reviews_is_refused(gateway: Gateway, seven: Seven, name: str, size: int) -> None:
    assert refusal(gateway, seven[0], **{name: size}) == f"`{name}` is {size}: a page has 1 to 100 items."


def test_first_with_last_is_refused(gateway: Gateway, seven: Seven) -> None:
    message = "`first` and `last` cannot be given together: ask for one of them."
    assert refusal(gateway, seven[0], first=1, last=1) == message


@pytest.mark.parametrize("star", [0, 6, -1, 2**31 - 1])
def test_stars_outside_one_to_five_are_refused(gateway: Gateway, seven: Seven, star: int) -> None:
    message = f"`filter.ratings` holds {star}: stars go from 1 to 5."
    assert refusal(gateway, seven[0], filter={"ratings": [5, star]}) == message


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("", "`search` needs at least 3 characters."),
        ("ab", "`search` needs at least 3 characters."),
        ("  ab\u3000", "`search` needs at least 3 characters."),
        ("x" * 201, "`search` has 201 characters: at most 200 are searched for."),
        ("?!?", "`search` needs at least one letter or digit."),
        ("— … 👍", "`search` needs at least one letter or digit."),
    ],
)
def test_a_search_that_cannot_be_is_refused(gateway: Gateway, seven: Seven, search: str, message: str) -> None:
    assert refusal(gateway, seven[0], filter={"search": search}) == message


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("nodes { rating }", [2]),
        ("edges { cursor node { rating } }", [2]),
        ("nodes { rating } pageInfo { hasNextPage }", [3]),
        ("pageInfo { hasNextPage }", [3]),
    ],
)
@pytest.mark.parametrize("filter_", ["{}", '{ search: "warm" }'])
def test_a_review_more_is_read_only_for_who_asks_what_follows(
    gateway: Gateway, shop: Shop, asked: str, read: list[int], filter_: str
) -> None:
    own = shop.product()
    shop.reviews(own, [{"body": "It keeps me warm."}] * 4)
    query = f"{{ product(id: {own.number}) {{ reviews(first: 2, filter: {filter_}) {{ {asked} }} }} }}"
    with recorded_rows() as rows:
        answer = gateway.http.post("/graphql", json={"query": query}).json()
    assert "errors" not in answer
    shown = answer["data"]["product"]["reviews"]
    for name, value in shown.items():
        assert value == {"hasNextPage": True} if name == "pageInfo" else len(value) == 2, name
    assert sorted(rows) == [1, *read], "the product, and its reviews"
