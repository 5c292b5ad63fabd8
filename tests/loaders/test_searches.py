"""Searches among more than what is looked at along the way: what they find, and how much they look at."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from loaders import catalog, review_pages
from loaders.batch import ROWS
from loaders.catalog import CatalogFilter, CatalogPageKey, CatalogPages
from loaders.page import Page, Window
from loaders.review_pages import ReviewPages
from loaders.review_selection import SORTS, ReviewFilter, ReviewPageKey, ReviewSelection, position_of
from tests.db.test_migrations import nodes
from tests.harness.databases import Databases, run

PRODUCTS, REVIEWS, MORE_REVIEWS = 1500, 700, 20_000
HAVE_PRODUCTS = (1, 2, 3, 399, 400, 401, 402, 640, 801, 802, 1203, 1499, 1500)
"""The products that have the word ``zephyr``. Every second one has ``every``, and none ``nobody``."""
HAVE_REVIEWS = (1, 2, 99, 100, 101, 102, 350, 351, 599, 600, 601, 699, 700)
"""The same of the reviews of product 1. Product 2 has ``MORE_REVIEWS`` without any of the words."""


@pytest.fixture(scope="module")
def shop(databases: Databases) -> str:
    """The address of a database with so many products, and reviews of the first."""
    url = databases.migrated()
    run(
        url,
        f"""
        INSERT INTO products (product_id, name, category)
        SELECT n, 'A ' || CASE WHEN n IN {HAVE_PRODUCTS} THEN 'zephyr ' ELSE '' END
                 || CASE WHEN n % 2 = 0 THEN 'every ' ELSE '' END || 'thing', 'Things'
        FROM generate_series(1, {PRODUCTS}) AS n;
        INSERT INTO reviews
            (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name, reviewer_email)
        SELECT 1, n, 1 + n * 5 / {REVIEWS + 1}, '2020-01-01'::timestamptz + n * interval '1 day', 'Plain',
               'A ' || CASE WHEN n IN {HAVE_REVIEWS} THEN 'zephyr ' ELSE '' END
                   || CASE WHEN n % 2 = 0 THEN 'every ' ELSE '' END || 'thing', true, 'someone', 'someone@example.com'
        FROM generate_series(1, {REVIEWS}) AS n;
        INSERT INTO reviews
            (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name, reviewer_email)
        SELECT 2, {REVIEWS} + n, 1 + n % 5, '2020-01-01'::timestamptz + n * interval '1 hour', 'Plain',
               'Nothing to say of it.', true, 'someone', 'someone@example.com'
        FROM generate_series(1, {MORE_REVIEWS}) AS n;
        ANALYZE products;
        ANALYZE reviews;
        """,
    )
    return url


def loaded(url: str, loader: Any, selection: Any, key: Any) -> Any:
    """The page of one key."""

    async def load() -> Any:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            (page,) = await loader(pool, selection).batch_load_fn([key])
            return page

    return asyncio.run(load())


WINDOWS = [Window(2), Window(4, backward=True), Window(20), Window(20, backward=True)]


def page_of(matching: list[int], window: Window, after: int | None, before: int | None) -> Page[int]:
    """What a page has to be, of the numbers that match in the order of their list."""
    within = [n for n in matching if (after is None or n > after) and (before is None or n < before)]
    rows = within[-window.size :] if window.backward else within[: window.size]
    any_before = after is not None and any(n <= after for n in matching)
    any_after = before is not None and any(n >= before for n in matching)
    more = len(within) > window.size
    if window.backward:
        return Page(rows, has_previous=more or any_before, has_next=any_after)
    return Page(rows, has_previous=any_before, has_next=more or any_after)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("category", [None, "Things", "Nothing"])
@pytest.mark.parametrize("word", ["zephyr", "every", "nobody", "zephyr every"])
def test_a_page_of_a_catalogs_search_is_right_wherever_the_words_are(
    shop: str, word: str, category: str | None, window: Window
) -> None:
    have = [n for n in range(1, PRODUCTS + 1) if ("zephyr" not in word or n in HAVE_PRODUCTS)]
    have = [n for n in have if ("every" not in word or n % 2 == 0)] if word != "nobody" else []
    have = have if category != "Nothing" else []
    for after, before in [(None, None), (2, None), (450, None), (1500, None), (None, 900), (None, 1), (401, 1203)]:
        key = CatalogPageKey(CatalogFilter(category, word), window, after, before)
        page = loaded(shop, CatalogPages, key.wanted, key)
        shown = Page([row.product_id for row in page.rows], page.has_previous, page.has_next)
        assert shown == page_of(have, window, after, before), (after, before)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("word", ["zephyr", "every", "nobody"])
def test_a_page_of_a_search_among_reviews_is_right_wherever_the_words_are(
    shop: str, word: str, sort: str, window: Window
) -> None:
    everything = in_order(shop, sort)
    # A place in the order stands for the review, so that all sorts are asked alike.
    place = {row.review_id: number for number, row in enumerate(everything, 1)}
    numbers = [n for n in range(1, REVIEWS + 1) if n in HAVE_REVIEWS or word != "zephyr"]
    numbers = [n for n in numbers if n % 2 == 0 or word != "every"] if word != "nobody" else []
    have = sorted(place[n] for n in numbers)
    for after, before in [(None, None), (3, None), (350, None), (REVIEWS, None), (None, 400), (None, 1), (101, 601)]:
        selection = ReviewSelection(
            sort, ReviewFilter(search=word), window, has_after=after is not None, has_before=before is not None
        )
        at = [None if n is None else position_of(everything[n - 1], sort) for n in (after, before)]
        page = loaded(shop, ReviewPages, selection, ReviewPageKey(1, *at))
        shown = Page([place[row.review_id] for row in page.rows], page.has_previous, page.has_next)
        assert shown == page_of(have, window, after, before), (after, before)


def in_order(url: str, sort: str) -> list[Any]:
    """All reviews of product 1."""
    rows: list[Any] = []
    while len(rows) < REVIEWS:
        after = position_of(rows[-1], sort) if rows else None
        selection = ReviewSelection(sort, ReviewFilter(), Window(100), has_after=bool(rows), has_before=False)
        rows += loaded(url, ReviewPages, selection, ReviewPageKey(1, after)).rows
    return rows


# --- How much is looked at


def most_removed(url: str, text: str, arguments: list[object], mode: str) -> int:
    """The most rows that a step of the statement's plan has looked at in vain, planned with its values or without."""

    async def explain() -> int:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"SET plan_cache_mode = {mode}")
            explained = f"EXPLAIN (ANALYZE, FORMAT JSON, COSTS OFF, TIMING OFF) {text}"
            prepared = await connection.prepare(explained)
            plan = json.loads(await prepared.fetchval(*arguments))[0]["Plan"]
            removed: int = max(node.get("Rows Removed by Filter", 0) for node in nodes(plan))
            return removed
        finally:
            await connection.close()

    return asyncio.run(explain())


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(("has_after", "has_before"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_word_that_no_product_has_is_not_looked_for_in_all_of_them(
    shop: str, has_after: bool, has_before: bool, mode: str
) -> None:
    wanted = CatalogFilter(None, "")
    statement = catalog._page(wanted, Window(20), (), has_after=has_after, has_before=has_before)
    values = {"search": "nobody", "after": PRODUCTS - 10, "before": 10}
    if has_after and has_before:
        values |= {"after": 10, "before": PRODUCTS - 10}
    removed = most_removed(shop, statement.text, statement.arguments(values), mode)
    assert 0 <= removed <= catalog._NEAREST


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("sort", SORTS)
def test_a_word_that_no_review_has_is_not_looked_for_in_all_of_them(shop: str, sort: str, side: str, mode: str) -> None:
    # All the others lie beyond the last one, or the first.
    end = ReviewSelection(sort, ReviewFilter(), Window(1, backward=side == "after"), has_after=False, has_before=False)
    (row,) = loaded(shop, ReviewPages, end, ReviewPageKey(2)).rows
    selection = ReviewSelection(
        sort, ReviewFilter(search=""), Window(5), has_after=side == "after", has_before=side == "before"
    )
    statement = review_pages._statement(selection, ROWS)
    position = {f"{side}_{n}": [value] for n, value in enumerate(position_of(row, sort))}
    arguments = statement.arguments({"product_id": [2], "search": "nobody", **position})
    assert 0 <= most_removed(shop, statement.text, arguments, mode) <= review_pages._NEAREST
