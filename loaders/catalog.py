"""The catalogue as a list: pages of products by number, how many there are, and the categories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import asyncpg
from sqlalchemy import BigInteger, ColumnElement, Text, exists, func, not_, select, true

from graphql_api.db.models import CategoryFigures, Product
from loaders.batch import argument, literal_size
from loaders.page import Page, Window, page_of
from loaders.rows import CategoryRow, ProductRow
from loaders.statement import Statement

_COLUMNS = tuple(getattr(Product, name) for name in ProductRow._fields)


@dataclass(frozen=True, slots=True)
class CatalogFilter:
    """Which products are listed; ``None`` does not narrow. ``search`` holds at least one word."""

    category: str | None = None
    search: str | None = None


def _matching(wanted: CatalogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.category is not None:
        conditions.append(Product.category == argument("category", Text()))
    if wanted.search is not None:
        words = func.product_words(Product.name, Product.slogan, Product.description)
        conditions.append(words.bool_op("@@")(func.search_query(argument("search", Text()))))
    return conditions


@lru_cache(maxsize=512)
def _page(wanted: CatalogFilter, window: Window, *, has_after: bool, has_before: bool) -> Statement:
    conditions = _matching(wanted)
    after, before = argument("after", BigInteger()), argument("before", BigInteger())
    bounds = ([Product.product_id > after] if has_after else []) + ([Product.product_id < before] if has_before else [])
    nothing = not_(true())
    beyond = select(
        (exists().where(*conditions, Product.product_id <= after) if has_after else nothing).label("any_before"),
        (exists().where(*conditions, Product.product_id >= before) if has_before else nothing).label("any_after"),
    ).subquery("beyond")
    order = Product.product_id.desc() if window.backward else Product.product_id.asc()
    size = literal_size(window.size + 1)
    page = select(*_COLUMNS).where(*conditions, *bounds).order_by(order).limit(size).subquery("page")
    return Statement("catalog", select(*beyond.c, *page.c).select_from(beyond.outerjoin(page, true())))


@lru_cache(maxsize=4)
def _count(wanted: CatalogFilter) -> Statement:
    return Statement("catalog count", select(func.count()).select_from(Product).where(*_matching(wanted)))


_categories = Statement("categories", select(CategoryFigures.category, CategoryFigures.product_count))


def _shape(wanted: CatalogFilter) -> CatalogFilter:
    return CatalogFilter(None if wanted.category is None else "", None if wanted.search is None else "")


async def catalog_page(
    reads: asyncpg.Pool, wanted: CatalogFilter, window: Window, after: int | None, before: int | None
) -> Page[ProductRow]:
    """A page of the products that match, by number, between the numbers given."""
    statement = _page(_shape(wanted), window, has_after=after is not None, has_before=before is not None)
    rows = await statement.fetch(reads, category=wanted.category, search=wanted.search, after=after, before=before)
    any_before, any_after = rows[0][:2]
    found = [ProductRow(*values) for _, _, *values in rows if values[0] is not None]
    found.sort(key=lambda row: row.product_id, reverse=window.backward)
    return page_of(found, window, any_before=any_before, any_after=any_after)


async def catalog_count(reads: asyncpg.Pool, wanted: CatalogFilter) -> int:
    """How many products match; without a search a sum of kept figures."""
    if wanted.search is None:
        rows = await _categories.fetch(reads)
        # The row named '' counts the products without a category: no filter asks for those.
        return sum(row[1] for row in rows if wanted.category is None or row[0] == wanted.category != "")
    rows = await _count(_shape(wanted)).fetch(reads, category=wanted.category, search=wanted.search)
    count: int = rows[0][0]
    return count


async def categories(reads: asyncpg.Pool) -> list[CategoryRow]:
    """The categories by name, in code point order; products without one are not among them."""
    rows = [CategoryRow(*row) for row in await _categories.fetch(reads)]
    return sorted(row for row in rows if row.category)
