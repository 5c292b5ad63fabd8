"""The catalogue: its pages, its filters, and the categories with their counts."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from functools import partial
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.databases import rows, run, value
from tests.harness.gateway import Gateway
from tests.harness.pages import PAGE, Seen, pages_backward, pages_forward, seen, walk_backward, walk_forward

_NUMBER = "productId"
_ARGUMENTS = "first: $first, after: $after, last: $last, before: $before, category: $category, search: $search"
CATALOG = f"""
query ($first: Int, $after: String, $last: Int, $before: String, $category: String, $search: String) {{
  catalog({_ARGUMENTS}) {{ {PAGE % (_NUMBER, _NUMBER)} totalCount }}
}}
"""
SIZES = st.integers(1, 7) | st.integers(1, 100)
# Numbers that no other test gives to its products.
_numbers = itertools.count(300_000_000)


def named(what: str) -> str:
    """A category that no other test uses."""
    return f"{what} {uuid.uuid4()}"


def stocked(gateway: Gateway, category: str | None, *many: dict[str, str | None], backward: bool = False) -> list[int]:
    """New products of a category, their numbers ascending; written from the last one if ``backward``."""
    made = [(next(_numbers), {"name": "A thing", "slogan": None, "description": None} | words) for words in many]

    async def write() -> None:
        connection = await asyncpg.connect(gateway.database)
        try:
            await connection.executemany(
                "INSERT INTO products (product_id, name, slogan, description, category) VALUES ($1, $2, $3, $4, $5)",
                [
                    (number, words["name"], words["slogan"], words["description"], category)
                    for number, words in (made[::-1] if backward else made)
                ],
            )
        finally:
            await connection.close()

    asyncio.run(write())
    return [number for number, _ in made]


def catalog(gateway: Gateway, **arguments: Any) -> dict[str, Any]:
    connection: dict[str, Any] = gateway.data(CATALOG, **arguments)["catalog"]
    return connection


def found(gateway: Gateway, **arguments: Any) -> list[int]:
    """The numbers of the products that a page shows."""
    return seen(catalog(gateway, first=100, **arguments)).numbers


def counted(gateway: Gateway) -> dict[str, int]:
    """How many products each category says it has."""
    answer = gateway.data("{ categories { name productCount } }")
    return {row["name"]: row["productCount"] for row in answer["categories"]}


def refusal(gateway: Gateway, **arguments: Any) -> str:
    """The message of a refusal, which leaves no data and has the code of bad input."""
    answer = gateway.send(CATALOG, **arguments)
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == (None, ["catalog"])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    message: str = error["message"]
    return message


@pytest.fixture(scope="module")
def six(gateway: Gateway) -> tuple[str, list[int]]:
    """A category with six products, and their numbers."""
    category = named("Six")
    return category, stocked(gateway, category, *[{}] * 6)


Six = tuple[str, list[int]]


# --- The walk


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 30), size=SIZES, backward=st.booleans())
def test_a_walk_along_a_category_shows_every_product_once_by_number(
    gateway: Gateway, count: int, size: int, backward: bool
) -> None:
    category = named("Walked")
    expected = stocked(gateway, category, *[{}] * count, backward=backward)
    ask = partial(catalog, gateway, category=category)
    assert walk_forward(ask, size) == pages_forward(expected, size)
    assert walk_backward(ask, size) == pages_backward(expected, size)


@settings(max_examples=15, deadline=None)
@given(words=st.lists(st.sampled_from(("red shoe", "Red Hat", "blue shoe")), max_size=25), size=SIZES)
def test_a_walk_along_a_search_shows_every_match_once_by_number(gateway: Gateway, words: list[str], size: int) -> None:
    category = named("Searched")
    numbers = stocked(gateway, category, *({"name": name} for name in words))
    expected = [number for number, name in zip(numbers, words, strict=True) if name.lower().startswith("red")]
    ask = partial(catalog, gateway, category=category, search="red")
    assert walk_forward(ask, size) == pages_forward(expected, size)
    assert walk_backward(ask, size) == pages_backward(expected, size)


def test_a_walk_along_the_whole_catalogue_shows_every_product_once_by_number(gateway: Gateway, six: Six) -> None:
    expected = [row[0] for row in rows(gateway.database, "SELECT product_id FROM products ORDER BY product_id")]
    assert expected[:10] == list(range(1, 11))
    assert set(six[1]) <= set(expected)
    assert walk_forward(partial(catalog, gateway), 100) == pages_forward(expected, 100)
    assert walk_backward(partial(catalog, gateway), 100) == pages_backward(expected, 100)


def test_a_page_starts_where_its_cursor_was_after_the_cursors_product_is_deleted(gateway: Gateway) -> None:
    category = named("Deleted")
    numbers = stocked(gateway, category, {}, {}, {}, {})
    after = catalog(gateway, category=category)["edges"][1]["cursor"]
    run(gateway.database, "DELETE FROM products WHERE product_id = $1", numbers[1])
    page = catalog(gateway, first=1, after=after, category=category)
    assert seen(page) == Seen([numbers[2]], has_previous=True, has_next=True)


# --- The arguments


def test_a_page_has_twenty_products_unless_asked_otherwise(gateway: Gateway) -> None:
    category = named("Many")
    numbers = stocked(gateway, category, *[{}] * 21)
    assert seen(catalog(gateway, category=category)) == Seen(numbers[:20], has_previous=False, has_next=True)


def test_a_page_may_have_a_hundred_products(gateway: Gateway) -> None:
    category = named("Many")
    numbers = stocked(gateway, category, *[{}] * 101)
    page = catalog(gateway, category=category, last=100)
    assert seen(page) == Seen(numbers[1:], has_previous=True, has_next=False)


def test_null_counts_as_absent_for_every_argument(gateway: Gateway) -> None:
    nulls = dict.fromkeys(("first", "after", "last", "before", "category", "search"))
    assert catalog(gateway, **nulls) == catalog(gateway)


# The six products are at the places 0 to 5; the cursors are those of the places given.
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"first": 2, "after": 0, "before": 4}, slice(1, 3)),
        ({"last": 2, "after": 0, "before": 4}, slice(2, 4)),
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
    category, numbers = six
    edges = catalog(gateway, category=category)["edges"]
    places = {name: edges[arguments[name]]["cursor"] for name in ("after", "before") if name in arguments}
    page = catalog(gateway, category=category, **{**arguments, **places})
    assert seen(page) == Seen(numbers[expected], has_previous=expected.start > 0, has_next=expected.stop < 6)


def test_a_cursor_is_taken_under_another_filter(gateway: Gateway, six: Six) -> None:
    category, numbers = six
    after = catalog(gateway, category=named("Later"), last=1)["pageInfo"]["endCursor"]
    assert after is None
    after = catalog(gateway, category="Pants", last=1)["pageInfo"]["endCursor"]
    page = catalog(gateway, first=2, after=after, category=category)
    assert seen(page) == Seen(numbers[:2], has_previous=False, has_next=True)


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [101, 0, -1])
def test_a_page_of_no_or_too_many_products_is_refused(gateway: Gateway, name: str, size: int) -> None:
    assert refusal(gateway, **{name: size}) == f"`{name}` is {size}: a page has 1 to 100 items."


def test_first_with_last_is_refused(gateway: Gateway) -> None:
    assert refusal(gateway, first=1, last=1) == "`first` and `last` cannot be given together: ask for one of them."


@pytest.mark.parametrize("connection", ["reviews", "reviewPhotos"])
def test_the_cursor_of_another_connection_is_refused(gateway: Gateway, connection: str) -> None:
    answer = gateway.data(f"{{ product(id: 4) {{ of: {connection} {{ edges {{ cursor }} }} }} }}")
    message = "`after` is a cursor of another connection, sort or product: start again without it."
    assert refusal(gateway, after=answer["product"]["of"]["edges"][0]["cursor"]) == message


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=300))
def test_any_other_text_is_refused_as_a_cursor(gateway: Gateway, text: str) -> None:
    message = "`after` is not a cursor: use `endCursor`, `startCursor` or an edge's `cursor`."
    assert refusal(gateway, after=text) == message


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("", "`search` needs at least 3 characters."),
        (" ab ", "`search` needs at least 3 characters."),
        ("x" * 201, "`search` has 201 characters: at most 200 are searched for."),
        ("...", "`search` needs at least one letter or digit."),
        ("shoe\x00", "`search` holds a character that no text can hold."),
    ],
)
def test_a_search_that_cannot_be_is_refused(gateway: Gateway, search: str, message: str) -> None:
    assert refusal(gateway, search=search) == message


# --- The search


@pytest.mark.parametrize(
    "search",
    [
        "trail runner",
        "RUNNER trail",
        "trail run",
        "grip",
        "on every",
        "rocks",
        "trail rocks grip",
        "the",
        "Trail, rocks!",
    ],
)
def test_a_product_is_found_by_the_words_of_its_name_slogan_and_description(gateway: Gateway, search: str) -> None:
    category = named("Words")
    words = {"name": "Trail Runner", "slogan": "Grip on every step", "description": "For the rocks of home."}
    (number, _) = stocked(gateway, category, words, {"name": "Slipper"})
    assert found(gateway, category=category, search=search) == [number]


@pytest.mark.parametrize("search", ["runner tracks", "rail", "trail grips", "run trail", "trai runner", "runners"])
def test_a_product_is_not_found_unless_every_word_occurs_and_only_the_last_is_cut_short(
    gateway: Gateway, search: str
) -> None:
    category = named("Words")
    stocked(gateway, category, {"name": "Trail Runner", "slogan": "Grip on every step"})
    assert found(gateway, category=category, search=search) == []


@pytest.mark.parametrize(("written", "search"), [("ÉTÉ", "été"), ("été", "ÉTÉ"), ("Ärmel", "ärm")])
def test_capitals_do_not_matter_beyond_ascii(gateway: Gateway, written: str, search: str) -> None:
    category = named("Capitals")
    numbers = stocked(gateway, category, {"slogan": f"Robe d'{written}"})
    assert found(gateway, category=category, search=search) == numbers


def test_the_category_is_told_by_its_exact_name(gateway: Gateway) -> None:
    category = named("Shoes")
    (number,) = stocked(gateway, category, {})
    assert found(gateway, category=category) == [number]
    assert found(gateway, category=category.lower()) == []
    assert found(gateway, category=f"{category} ") == []
    assert found(gateway, category=category[:-1] + "%") == []


# --- The counts


def test_the_total_without_filters_is_that_of_all_products(gateway: Gateway) -> None:
    stocked(gateway, None, {})
    assert catalog(gateway, first=1)["totalCount"] == value(gateway.database, "SELECT count(*) FROM products")


def test_the_total_is_that_of_the_filters_however_small_the_page(gateway: Gateway) -> None:
    category = named("Total")
    stocked(gateway, category, {"name": "Red shoe"}, {"name": "Red hat"}, {"name": "Blue shoe"})
    name = f"x{uuid.uuid4().hex}"
    stocked(gateway, category, {"name": name})
    stocked(gateway, None, {"name": name})
    totals = [
        catalog(gateway, first=1, **filters)["totalCount"]
        for filters in ({"category": category}, {"category": category, "search": "red"}, {"search": name})
    ]
    assert totals == [4, 2, 2]


@pytest.mark.parametrize("category", ["", "No such category", "Pants\x00", "pants"])
def test_a_category_that_is_none_has_no_products_and_a_total_of_zero(gateway: Gateway, category: str) -> None:
    stocked(gateway, None, {})
    page = catalog(gateway, category=category)
    assert (seen(page), page["totalCount"]) == (Seen([], has_previous=False, has_next=False), 0)


def test_the_categories_count_every_product_that_comes_moves_or_goes(gateway: Gateway) -> None:
    one, other = named("A"), named("B")
    assert one not in counted(gateway)

    numbers = stocked(gateway, one, {}, {}, {})
    assert (counted(gateway)[one], other in counted(gateway)) == (3, False)

    run(gateway.database, "UPDATE products SET category = $1 WHERE product_id = $2", other, numbers[0])
    assert [counted(gateway)[name] for name in (one, other)] == [2, 1]

    run(gateway.database, "UPDATE products SET category = NULL WHERE product_id = $1", numbers[0])
    assert (counted(gateway)[one], other in counted(gateway)) == (2, False)

    run(gateway.database, "DELETE FROM products WHERE product_id = $1", numbers[1])
    assert counted(gateway)[one] == 1

    run(gateway.database, "DELETE FROM products WHERE category = $1", one)
    assert one not in counted(gateway)


def test_the_categories_come_in_the_order_of_their_code_points(gateway: Gateway) -> None:
    mark = uuid.uuid4().hex
    names = [f"{mark}{end}" for end in ("A", "B", "a", "É")]
    for name in reversed(names):
        stocked(gateway, name, {})
    assert [name for name in counted(gateway) if name.startswith(mark)] == names
