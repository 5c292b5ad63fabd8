"""The order law: whatever keys are asked, each gets its own answer at its own place, from one statement."""

from __future__ import annotations

import asyncio
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphql_api.db.engine import open_database
from graphql_api.settings import Settings
from loaders.batch import BatchLoader, Extent, Kind, many_each, one_each
from loaders.characteristics import CharacteristicsByProduct
from loaders.page import Window
from loaders.photo_pages import PhotoPageKey, PhotoPages, PhotoSelection
from loaders.photos import PhotosById, PhotosByReview
from loaders.products import FiguresByProduct, ProductsById
from loaders.ratings import RatingsByReview
from loaders.registry import Loaders
from loaders.review_counts import ReviewCountsOfSearch
from loaders.review_pages import ReviewPages
from loaders.review_selection import SORTS, ReviewFilter, ReviewPageKey, ReviewSelection, position_of
from loaders.reviews import ReviewsById, ReviewsByNumber
from tests.harness.gateway import Gateway, recorded_statements

SAMPLE = Path(__file__).parents[1] / "data" / "atelier" / "v2"
LARGEST = 2**63 - 1


def sample(name: str) -> list[dict[str, str]]:
    with (SAMPLE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def grouped(pairs: Sequence[tuple[Any, int]]) -> dict[Any, list[int]]:
    """The numbers of each key, ascending."""
    groups = defaultdict(list)
    for key, number in pairs:
        groups[key].append(number)
    return {key: sorted(numbers) for key, numbers in groups.items()}


# What the files say of whom: reviews 15 to 19 have no product, and 14 is reported.
PRODUCTS = {int(row["id"]): row["name"] for row in sample("product")}
KEY_OF = {
    int(row["id"]): (int(row["product_id"]), int(row["id"]))
    for row in sample("reviews")
    if int(row["product_id"]) in PRODUCTS
}
VISIBLE = {key: review for review, key in KEY_OF.items() if review != 14}
CHARACTERISTICS = grouped([(int(row["product_id"]), int(row["id"])) for row in sample("characteristics")])
PHOTOS = grouped(
    [
        (KEY_OF[int(row["review_id"])], int(row["id"]))
        for row in sample("reviews_photos")
        if int(row["review_id"]) in KEY_OF
    ]
)
RATINGS = grouped([(KEY_OF[int(row["review_id"])], int(row["id"])) for row in sample("characteristic_reviews")])
COUNTS = {product: sum(key[0] == product for key in VISIBLE) for product in PRODUCTS}

NUMBERS = st.integers(-1, 13) | st.just(LARGEST)
REVIEW_KEYS = st.sampled_from(sorted(KEY_OF.values())) | st.tuples(NUMBERS, st.integers(0, 20) | st.just(LARGEST))
PHOTO_KEYS = st.sampled_from(sorted((*key, photo) for key, photos in PHOTOS.items() for photo in photos)) | st.tuples(
    NUMBERS, st.integers(0, 20), st.integers(0, 20) | st.just(LARGEST)
)


@dataclass(frozen=True)
class Case:
    """A loader, the keys it is asked, what is looked at of an answer, and what that should be for a key."""

    keys: st.SearchStrategy[Any]
    loader: Kind
    shown: Callable[[Any], Any]
    expected: Callable[[Any], Any]


def found_by_stars(product: int) -> list[int]:
    """How many reviews of a product, by stars, have a word that begins with "the"."""
    own = [row for row in sample("reviews") if (product, int(row["id"])) in VISIBLE]
    texts = [(int(row["rating"]), f"{row['summary']} {row['body']}") for row in own]
    found = [stars for stars, text in texts if re.search(r"\bthe", text, re.IGNORECASE)]
    return [found.count(stars) for stars in range(1, 6)]


# By the name of the loader's statement.
CASES = {
    "products by id": Case(NUMBERS, Kind(ProductsById), lambda row: row and row.name, PRODUCTS.get),
    "figures by product": Case(
        NUMBERS, Kind(FiguresByProduct), lambda row: sum(row.counts), lambda key: COUNTS.get(key, 0)
    ),
    "characteristics by product": Case(
        NUMBERS,
        Kind(CharacteristicsByProduct),
        lambda rows: [row.characteristic_id for row in rows],
        lambda key: CHARACTERISTICS.get(key, []),
    ),
    "reviews by id": Case(REVIEW_KEYS, Kind(ReviewsById), lambda row: row and row.review_id, VISIBLE.get),
    "reviews by number": Case(
        st.integers(-1, 20) | st.just(LARGEST),
        Kind(ReviewsByNumber),
        lambda row: row and row.review_id,
        lambda key: key if KEY_OF.get(key) in VISIBLE else None,
    ),
    "photos by review": Case(
        REVIEW_KEYS,
        Kind(PhotosByReview),
        lambda rows: [row.photo_id for row in rows],
        lambda key: PHOTOS.get(key, []),
    ),
    "photos by id": Case(
        PHOTO_KEYS,
        Kind(PhotosById),
        lambda row: row and row.photo_id,
        lambda key: key[2] if key[2] in PHOTOS.get(key[:2], []) else None,
    ),
    "ratings by review": Case(
        REVIEW_KEYS,
        Kind(RatingsByReview),
        lambda rows: [row.rating_id for row in rows],
        lambda key: RATINGS.get(key, []),
    ),
    "review counts of a search": Case(
        NUMBERS, Kind(ReviewCountsOfSearch, ReviewFilter(search="the")), list, found_by_stars
    ),
}


def load(gateway: Gateway, which: Kind, keys: Sequence[Any]) -> list[Any]:
    """The answers to ``keys``, asked all at once of a new loader."""

    async def loaded() -> list[Any]:
        async with open_database(gateway.database, Settings()) as database:
            return list(await Loaders(database.reads).of(which).load_many(keys))

    return asyncio.run(loaded())


# --- The helpers

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers()))


@given(keys=st.lists(st.integers(0, 12)), rows=ROWS)
@example(keys=[], rows=[(1, 1)])
def test_one_each_puts_the_row_of_each_key_in_its_place_and_none_where_there_is_none(
    keys: list[int], rows: list[tuple[int, int]]
) -> None:
    rows = list(dict(rows).items())
    found = one_each(keys, rows, lambda row: row[0])
    assert [row and row[0] for row in found] == [key if key in dict(rows) else None for key in keys]
    assert found == [next((row for row in rows if row[0] == key), None) for key in keys]


@given(rows=ROWS, others=st.sets(st.integers(10, 12)), data=st.data())
def test_many_each_puts_the_rows_of_each_key_in_its_place_and_nothing_where_there_are_none(
    rows: list[tuple[int, int]], others: set[int], data: st.DataObject
) -> None:
    keys = data.draw(st.permutations(sorted({key for key, _ in rows} | others)))
    found = many_each(keys, rows, lambda row: row[0])
    assert found == [[row for row in rows if row[0] == key] for key in keys]


# --- The loaders


@pytest.mark.parametrize("which", CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_loader_answers_each_key_in_its_place_from_one_statement(
    gateway: Gateway, which: str, data: st.DataObject
) -> None:
    case = CASES[which]
    keys = data.draw(st.lists(case.keys, max_size=30))
    with recorded_statements() as statements:
        answers = load(gateway, case.loader, keys)
    assert [case.shown(answer) for answer in answers] == [case.expected(key) for key in keys]
    assert statements == ([which] if keys else [])


def test_more_than_a_thousand_keys_are_asked_in_several_statements(gateway: Gateway) -> None:
    keys = list(range(2001, 0, -1))
    with recorded_statements() as statements:
        answers = load(gateway, Kind(ProductsById), keys)
    assert [row and row.name for row in answers] == [None] * 1991 + [PRODUCTS[key] for key in range(10, 0, -1)]
    assert statements == ["products by id"] * 3


class Asked(BatchLoader[int, int]):
    """Doubles its keys and remembers which it was asked."""

    def __init__(self, reads: asyncpg.Pool) -> None:
        super().__init__(reads)
        self.batches: list[list[int]] = []

    async def batch_load_fn(self, keys: list[int]) -> list[int]:
        self.batches.append(keys)
        return [key * 2 for key in keys]


@settings(max_examples=25, deadline=None)
@given(keys=st.lists(st.integers(0, 5), min_size=1), again=st.lists(st.integers(0, 5)))
def test_equal_keys_are_asked_once_in_the_life_of_a_loader(gateway: Gateway, keys: list[int], again: list[int]) -> None:
    async def asked() -> tuple[list[int], list[int], list[list[int]]]:
        async with open_database(gateway.database, Settings()) as database:
            loader = Asked(database.reads)
            return await loader.load_many(keys), await loader.load_many(again), loader.batches

    first, second, batches = asyncio.run(asked())
    assert (first, second) == ([key * 2 for key in keys], [key * 2 for key in again])
    new = [key for key in dict.fromkeys(again) if key not in keys]
    assert batches == [list(dict.fromkeys(keys)), *([new] if new else [])]


# --- Pages

PLACES = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)), max_size=20)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=5, deadline=None)
@given(places=PLACES, size=st.integers(1, 3))
def test_pages_of_several_products_are_each_in_their_place_from_one_statement(
    gateway: Gateway, sort: str, backward: bool, places: list[tuple[int, int]], size: int
) -> None:
    everything = ReviewSelection(sort, ReviewFilter(), Window(100), has_after=False, has_before=False)
    products = range(1, 13)
    whole = load(gateway, Kind(ReviewPages, everything), [ReviewPageKey(n) for n in products])
    rows = {product: page.rows for product, page in zip(products, whole, strict=True)}
    assert [len(rows[product]) for product in products] == [COUNTS.get(product, 0) for product in products]

    places = [(product, place) for product, place in places if place < len(rows[product])]
    bounded = ReviewSelection(sort, ReviewFilter(), Window(size, backward), has_after=not backward, has_before=backward)
    bound = "before" if backward else "after"
    keys = [ReviewPageKey(n, **{bound: position_of(rows[n][place], sort)}) for n, place in places]
    with recorded_statements() as statements:
        pages = load(gateway, Kind(ReviewPages, bounded), keys)
        alone = load(gateway, Kind(ReviewPages, bounded, Extent(beyond=False)), keys)
    expected = [
        rows[n][max(place - size, 0) : place] if backward else rows[n][place + 1 : place + 1 + size]
        for n, place in places
    ]
    assert [page.rows for page in pages] == expected
    assert [page.rows for page in alone] == expected
    assert statements == ([f"reviews by product, {sort.lower()}"] * 2 if keys else [])


@settings(max_examples=20, deadline=None)
@given(products=st.lists(NUMBERS, max_size=20))
def test_photo_pages_of_several_products_are_each_in_their_place_from_one_statement(
    gateway: Gateway, products: list[int]
) -> None:
    selection = PhotoSelection(Window(100), has_after=False, has_before=False)
    keys = [PhotoPageKey(product) for product in products]
    with recorded_statements() as statements:
        pages = load(gateway, Kind(PhotoPages, selection), keys)
    # By the files: product 2 has review 5, and product 4 review 9, which is newer, and review 10.
    shown = {2: [1, 2, 3], 4: [4, 5, 6, 7, 8, 9]}
    assert [[row.photo_id for row in page.rows] for page in pages] == [shown.get(product, []) for product in products]
    assert statements == (["photos by product"] if keys else [])
