"""Cursors: what is written is read again, and whatever else comes as one is refused."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.errors import BadUserInputError
from graphql_api.schema.cursors import Value, decode, encode
from graphql_api.schema.identity import MAX_NUMBER
from tests.harness.gateway import Gateway
from tests.harness.review_lists import SORTS
from tests.harness.shop import OwnProduct, Shop

NOT_A_CURSOR = "`after` is not a cursor: use `endCursor`, `startCursor` or an edge's `cursor`."
ANOTHER_CURSOR = "`after` is a cursor of another connection, sort or product: start again without it."

NUMBERS = st.integers(-MAX_NUMBER, MAX_NUMBER)
VALUES: dict[type, st.SearchStrategy[Value]] = {
    int: NUMBERS,
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
}
TYPES = st.lists(st.sampled_from((int, float, datetime)), min_size=1, max_size=3).map(tuple)
CONNECTIONS = st.sampled_from(("photos", "catalog", *(f"reviews:{sort}" for sort in SORTS)))
PRODUCTS = st.integers(0, MAX_NUMBER)


def spelt(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def refused(cursor: str, connection: str = "photos", product: int = 7, types: tuple[type, ...] = (int,)) -> str:
    """The message with which ``decode`` refuses ``cursor``."""
    with pytest.raises(BadUserInputError) as caught:
        decode(cursor, "after", connection, product, types)
    return str(caught.value)


# --- As text


@given(connection=CONNECTIONS, product=PRODUCTS, types=TYPES, data=st.data())
def test_a_cursor_is_read_as_it_was_written(
    connection: str, product: int, types: tuple[type, ...], data: st.DataObject
) -> None:
    values = tuple(data.draw(VALUES[type_]) for type_ in types)
    assert decode(encode(connection, product, values), "after", connection, product, types) == values


@given(text=st.text(max_size=300) | st.text("ABCDabcd0123-_=+/|:", max_size=300))
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    assert refused(text) == NOT_A_CURSOR


@given(text=st.from_regex(r"(photos|catalog|reviews:NEWEST)\|7(\|[0-9e+._ -]{0,20}){0,4}", fullmatch=True))
def test_what_is_read_has_the_spelling_that_would_be_written(text: str) -> None:
    for types in ((int,), (float, int), (datetime, int)):
        try:
            values = decode(spelt(text), "after", "photos", 7, types)
        except BadUserInputError:
            continue
        assert encode("photos", 7, values) == spelt(text)


@given(one=CONNECTIONS, other=CONNECTIONS, product=PRODUCTS, another=PRODUCTS, number=NUMBERS)
def test_a_cursor_is_taken_by_its_own_connection_and_product_alone(
    one: str, other: str, product: int, another: int, number: int
) -> None:
    cursor = encode(one, product, (number,))
    if (one, product) == (other, another):
        assert decode(cursor, "after", other, another, (int,)) == (number,)
    else:
        assert refused(cursor, other, another) == ANOTHER_CURSOR


@pytest.mark.parametrize(
    "text",
    [
        "photos|7",
        "photos|7|",
        "photos|7|1|2",
        "photos|7|1.0",
        "photos|7|01",
        "photos|7|+1",
        "photos|7|-0",
        "photos|7|1_0",
        "photos|7| 1",
        "photos|7|x",
        f"photos|7|{2**63}",
        f"photos|7|{-(2**63)}",
        f"photos|7|{10**200}",
    ],
)
def test_a_cursor_whose_number_has_another_spelling_or_size_is_refused(text: str) -> None:
    assert refused(spelt(text)) == NOT_A_CURSOR


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1", "1.00", "1e999", "1E5", "0x1p3", "\u0661.0"])
def test_a_cursor_whose_score_is_not_finite_or_has_another_spelling_is_refused(text: str) -> None:
    assert refused(spelt(f"photos|7|{text}"), types=(float,)) == NOT_A_CURSOR


@pytest.mark.parametrize("microseconds", [253402300800 * 10**6, -62135596800 * 10**6 - 1])
def test_a_cursor_of_a_time_outside_the_calendar_is_refused(microseconds: int) -> None:
    assert refused(spelt(f"photos|7|{microseconds}"), types=(datetime,)) == NOT_A_CURSOR


@pytest.mark.parametrize("text", ["votes|7|1", "", "Photos|7|1", "photos |7|1", "photos\n|7|1"])
def test_a_cursor_of_no_connection_of_ours_is_refused(text: str) -> None:
    assert refused(spelt(text)) == NOT_A_CURSOR


def test_the_message_names_the_argument() -> None:
    with pytest.raises(BadUserInputError, match="`before` is not a cursor"):
        decode("?", "before", "photos", 7, (int,))


# --- Over HTTP

PAGE = """
query ($product: ID!, $first: Int, $after: String, $last: Int, $before: String, $sort: ReviewSort = NEWEST) {
  product(id: $product) {
    reviews(first: $first, after: $after, last: $last, before: $before, sort: $sort) {
      edges { cursor } nodes { reviewId }
    }
  }
}
"""


@pytest.fixture(scope="module")
def own(gateway: Gateway) -> OwnProduct:
    """A product with three reviews."""
    shop = Shop(gateway.database)
    product = shop.product()
    shop.reviews(product, [{}] * 3)
    return product


def page(gateway: Gateway, product: OwnProduct, **arguments: Any) -> dict[str, Any]:
    connection: dict[str, Any] = gateway.data(PAGE, product=str(product.number), **arguments)["product"]["reviews"]
    return connection


def cursor_of(gateway: Gateway, product: OwnProduct, sort: str = "NEWEST") -> str:
    """The cursor of the second review."""
    cursor: str = page(gateway, product, sort=sort)["edges"][1]["cursor"]
    return cursor


def refusal(gateway: Gateway, product: OwnProduct, **arguments: Any) -> str:
    """The message of a refusal, which has the code of bad input."""
    code, message = gateway.refusal(PAGE, product=str(product.number), **arguments)
    assert code == "BAD_USER_INPUT"
    return message


@pytest.mark.parametrize(("taken", "given_to"), list(itertools.permutations(SORTS, 2)))
def test_the_cursor_of_another_sort_is_refused(gateway: Gateway, own: OwnProduct, taken: str, given_to: str) -> None:
    assert refusal(gateway, own, after=cursor_of(gateway, own, taken), sort=given_to) == ANOTHER_CURSOR


def test_the_cursor_of_another_product_is_refused(gateway: Gateway, own: OwnProduct, shop: Shop) -> None:
    assert refusal(gateway, shop.product(), after=cursor_of(gateway, own)) == ANOTHER_CURSOR


@pytest.mark.parametrize(
    "connection", ["product(id: 4) { of: reviewPhotos { edges { cursor } } }", "of: catalog { edges { cursor } }"]
)
def test_the_cursor_of_another_connection_is_refused(gateway: Gateway, own: OwnProduct, connection: str) -> None:
    answer = gateway.data(f"{{ {connection} }}")
    after = answer.get("product", answer)["of"]["edges"][0]["cursor"]
    assert refusal(gateway, own, after=after) == ANOTHER_CURSOR


@pytest.mark.parametrize("changed", ["{}=", "{}==", "{} ", " {}", "{}A", "{}\n", "{}\x00", "%{}", "é{}", "{}" * 20])
def test_a_cursor_with_anything_added_is_refused(gateway: Gateway, own: OwnProduct, changed: str) -> None:
    after = changed.replace("{}", cursor_of(gateway, own))
    assert refusal(gateway, own, after=after) == NOT_A_CURSOR


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_any_other_text_is_refused_as_a_cursor(gateway: Gateway, own: OwnProduct, text: str) -> None:
    assert refusal(gateway, own, after=text) == NOT_A_CURSOR
    assert refusal(gateway, own, before=text) == NOT_A_CURSOR.replace("after", "before")


@settings(max_examples=60, deadline=None)
@given(sort=st.sampled_from(SORTS), data=st.data())
def test_a_cursor_of_any_place_divides_the_list_in_two(
    gateway: Gateway, own: OwnProduct, sort: str, data: st.DataObject
) -> None:
    types = {"RELEVANT": (float, int), "NEWEST": (datetime, int)}.get(sort, (int, datetime, int))
    place = encode(f"reviews:{sort}", own.number, tuple(data.draw(VALUES[type_]) for type_ in types))
    above = page(gateway, own, last=100, before=place, sort=sort)["nodes"]
    below = page(gateway, own, first=100, after=place, sort=sort)["nodes"]
    assert above + below == page(gateway, own, sort=sort)["nodes"]
