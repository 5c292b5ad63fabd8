"""Pages of a product's photos, held against lists that are worked out here from the same rows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.databases import rows, run
from tests.harness.gateway import Gateway
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
from tests.harness.shop import START, OwnProduct, Shop

_NUMBER = "photoId"
PHOTOS = f"""
query ($product: ID!, $first: Int, $after: String, $last: Int, $before: String) {{
  product(id: $product) {{
    reviewPhotos(first: $first, after: $after, last: $last, before: $before) {{ {PAGE % (_NUMBER, _NUMBER)} }}
  }}
}}
"""
TOTAL = "query ($product: ID!) { product(id: $product) { reviewPhotos { totalCount } } }"
REPORT = "mutation ($id: ID!) { reportReview(input: {reviewId: $id}) { userErrors { code } } }"

REVIEW = st.fixed_dictionaries(
    {
        "created_at": st.sampled_from((START, START + timedelta(days=1), START + timedelta(microseconds=1))),
        "reported": st.sampled_from((False, False, False, True)),
        "photos": st.integers(0, 5),
    }
)
REVIEW_LISTS = st.integers(0, 12).flatmap(lambda count: st.lists(REVIEW, min_size=count, max_size=count))
SIZES = st.integers(1, 7) | st.integers(1, 100)

Photos = list[tuple[int, int]]
"""Numbers of reviews and of their photos, as ``reviewPhotos`` should list them."""


def written(gateway: Gateway, many: list[dict[str, Any]]) -> tuple[OwnProduct, Photos]:
    """A product with these reviews, and the photos that should be seen."""
    shop = Shop(gateway.database)
    product = shop.product()
    reviews = dict(zip(shop.reviews(product, many), many, strict=True))
    found = rows(gateway.database, "SELECT review_id, photo_id FROM photos WHERE product_id = $1", product.number)
    visible = [(review, photo) for review, photo in found if not reviews[review].get("reported")]
    visible.sort(key=lambda pair: pair[1])
    visible.sort(key=lambda pair: (reviews[pair[0]].get("created_at", START), pair[0]), reverse=True)
    return product, visible


def photos(gateway: Gateway, product: OwnProduct, **arguments: Any) -> dict[str, Any]:
    answer = gateway.data(PHOTOS, product=str(product.number), **arguments)
    connection: dict[str, Any] = answer["product"]["reviewPhotos"]
    return connection


def cursor(gateway: Gateway, product: OwnProduct, place: int) -> str:
    """The cursor of the photo at ``place``, from 0."""
    found: str = photos(gateway, product, first=100)["edges"][place]["cursor"]
    return found


def refusal(gateway: Gateway, product: OwnProduct, **arguments: Any) -> str:
    """The message of a refusal, which leaves the product null and has the code of bad input."""
    answer = gateway.send(PHOTOS, product=str(product.number), **arguments)
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == ({"product": None}, ["product", "reviewPhotos"])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    message: str = error["message"]
    return message


@pytest.fixture(scope="module")
def six(gateway: Gateway) -> tuple[OwnProduct, list[int]]:
    """A product whose reviews, from the newest, have three, no, two and one photos, and the photos' numbers."""
    product, listed = written(gateway, [{"photos": count} for count in (1, 2, 0, 3)])
    return product, [photo for _, photo in listed]


Six = tuple[OwnProduct, list[int]]


# --- The walk


@settings(max_examples=40, deadline=None)
@given(many=REVIEW_LISTS, size=SIZES)
def test_a_walk_in_either_direction_shows_every_visible_photo_once_and_in_order(
    gateway: Gateway, many: list[dict[str, Any]], size: int
) -> None:
    product, listed = written(gateway, many)
    expected = [photo for _, photo in listed]
    ask = partial(photos, gateway, product)
    assert walk_forward(ask, size) == pages_forward(expected, size)
    assert walk_backward(ask, size) == pages_backward(expected, size)


@settings(max_examples=30, deadline=None)
@given(many=REVIEW_LISTS)
def test_the_total_is_that_of_the_photos_of_visible_reviews(gateway: Gateway, many: list[dict[str, Any]]) -> None:
    product, listed = written(gateway, many)
    answer = gateway.data(TOTAL, product=str(product.number))
    assert answer["product"]["reviewPhotos"] == {"totalCount": len(listed)}


def test_a_report_hides_the_reviews_photos_at_once(gateway: Gateway) -> None:
    product, listed = written(gateway, [{"photos": 2}, {"photos": 3}])
    hidden = listed[0][0]
    gateway.data(REPORT, id=str(hidden))
    assert seen(photos(gateway, product)) == Seen([photo for _, photo in listed[3:]], False, False)
    assert gateway.data(TOTAL, product=str(product.number))["product"]["reviewPhotos"] == {"totalCount": 2}


@settings(max_examples=25, deadline=None)
@given(many=REVIEW_LISTS, size=st.integers(1, 4), hidden=st.lists(st.integers(0, 11), max_size=6), data=st.data())
def test_writes_between_pages_make_a_walk_skip_or_repeat_nothing_that_stayed(
    gateway: Gateway, many: list[dict[str, Any]], size: int, hidden: list[int], data: st.DataObject
) -> None:
    product, listed = written(gateway, many)
    walked: list[int] = []
    after = None
    while True:
        page = photos(gateway, product, first=size, after=after)
        walked += numbers_of(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        if hidden and listed:
            review = listed[hidden.pop() % len(listed)][0]
            delete, photo = data.draw(st.tuples(st.booleans(), st.booleans()))
            if delete and photo:  # the cursor's own photo
                gone = walked[-1]
                run(
                    gateway.database, "DELETE FROM photos WHERE product_id = $1 AND photo_id = $2", product.number, gone
                )
                listed = [pair for pair in listed if pair[1] != gone]
            else:
                if delete:
                    run(gateway.database, "DELETE FROM reviews WHERE review_id = $1", review)
                else:
                    gateway.data(REPORT, id=str(review))
                listed = [pair for pair in listed if pair[0] != review]
            Shop(gateway.database).review(product, **data.draw(REVIEW))
    kept = [photo for _, photo in listed]
    assert [number for number in walked if number in kept] == kept
    assert len(set(walked)) == len(walked)


def test_a_page_starts_where_its_cursor_was_after_the_cursors_photo_is_deleted(gateway: Gateway) -> None:
    product, listed = written(gateway, [{"photos": 3}])
    after = cursor(gateway, product, 0)
    run(gateway.database, "DELETE FROM photos WHERE photo_id = $1", listed[0][1])
    expected = Seen([listed[1][1]], has_previous=False, has_next=True)
    assert seen(photos(gateway, product, first=1, after=after)) == expected


def test_a_page_starts_where_its_cursor_was_after_the_cursors_review_is_deleted(gateway: Gateway) -> None:
    product, listed = written(gateway, [{"photos": 2}, {"photos": 3}, {"photos": 1}])
    after = cursor(gateway, product, 1)
    run(gateway.database, "DELETE FROM reviews WHERE review_id = $1", listed[1][0])
    expected = Seen([photo for _, photo in listed[4:]], has_previous=True, has_next=False)
    assert seen(photos(gateway, product, after=after)) == expected


# --- The arguments


def test_a_page_has_twenty_photos_unless_asked_otherwise(gateway: Gateway) -> None:
    product, listed = written(gateway, [{"photos": 5}] * 5)
    numbers = [photo for _, photo in listed]
    assert seen(photos(gateway, product)) == Seen(numbers[:20], has_previous=False, has_next=True)


def test_a_page_may_have_a_hundred_photos(gateway: Gateway) -> None:
    product, listed = written(gateway, [{"photos": 5}] * 21)
    numbers = [photo for _, photo in listed]
    assert seen(photos(gateway, product, first=100)) == Seen(numbers[:100], has_previous=False, has_next=True)


def test_null_counts_as_absent_for_every_argument(gateway: Gateway, six: Six) -> None:
    product, numbers = six
    page = photos(gateway, product, first=None, after=None, last=None, before=None)
    assert seen(page) == Seen(numbers, has_previous=False, has_next=False)


# The six photos are at the places 0 to 5; the cursors are those of the places given.
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"first": 2, "after": 0, "before": 4}, slice(1, 3)),
        ({"last": 2, "after": 0, "before": 4}, slice(2, 4)),
        ({"first": 9, "after": 0, "before": 4}, slice(1, 4)),
        ({"first": 2, "before": 4}, slice(0, 2)),
        ({"last": 2, "after": 0}, slice(4, 6)),
        ({"before": 4}, slice(0, 4)),
        ({"after": 4}, slice(5, 6)),
        ({"after": 5}, slice(6, 6)),
        ({"before": 0}, slice(0, 0)),
        ({"first": 2, "after": 2, "before": 1}, slice(6, 0)),
    ],
)
def test_a_page_lies_between_its_cursors(
    gateway: Gateway, six: Six, arguments: dict[str, Any], expected: slice
) -> None:
    product, numbers = six
    places = {name: cursor(gateway, product, arguments[name]) for name in ("after", "before") if name in arguments}
    page = photos(gateway, product, **{**arguments, **places})
    assert seen(page) == Seen(numbers[expected], has_previous=expected.start > 0, has_next=expected.stop < 6)


# --- What is refused


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [101, 0, -1])
def test_a_page_of_no_or_too_many_photos_is_refused(gateway: Gateway, six: Six, name: str, size: int) -> None:
    assert refusal(gateway, six[0], **{name: size}) == f"`{name}` is {size}: a page has 1 to 100 items."


def test_first_with_last_is_refused(gateway: Gateway, six: Six) -> None:
    message = "`first` and `last` cannot be given together: ask for one of them."
    assert refusal(gateway, six[0], first=1, last=1) == message


@pytest.mark.parametrize("name", ["after", "before"])
def test_the_cursor_of_another_product_is_refused(gateway: Gateway, six: Six, name: str) -> None:
    other, _ = written(gateway, [{"photos": 1}])
    message = f"`{name}` is a cursor of another connection, sort or product: start again without it."
    assert refusal(gateway, six[0], **{name: cursor(gateway, other, 0)}) == message


@pytest.mark.parametrize(
    "connection", ["product(id: 4) { of: reviews { edges { cursor } } }", "of: catalog { edges { cursor } }"]
)
def test_the_cursor_of_another_connection_is_refused(gateway: Gateway, six: Six, connection: str) -> None:
    answer = gateway.data(f"{{ {connection} }}")
    after = answer.get("product", answer)["of"]["edges"][0]["cursor"]
    message = "`after` is a cursor of another connection, sort or product: start again without it."
    assert refusal(gateway, six[0], after=after) == message


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=300))
def test_any_other_text_is_refused_as_a_cursor(gateway: Gateway, six: Six, text: str) -> None:
    message = "`before` is not a cursor: use `endCursor`, `startCursor` or an edge's `cursor`."
    assert refusal(gateway, six[0], before=text) == message
