"""The catalogue as a list: pages of products by number, how many there are, and the categories."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, ColumnElement, Text, exists, func, not_, select, true

from graphql_api.db.models import CategoryFigures, Product
from loaders import tags
from loaders.batch import Aheads, BatchLoader, Besides, aheads_of, argument, literal_size, named
from loaders.page import Page, Window, page_of
from loaders.products import PRODUCT_COLUMNS, ProductsById
from loaders.rows import CategoryRow, ProductRow
from loaders.statement import Statement

_WIDTH = len(PRODUCT_COLUMNS)


@dataclass(frozen=True, slots=True)
class CatalogFilter:
    """Which products are listed; ``None`` does not narrow. ``search`` holds at least one word."""

    category: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogPageKey:
    """A page of the products that match, between the numbers given."""

    wanted: CatalogFilter
    window: Window
    after: int | None = None
    before: int | None = None


def _matching(wanted: CatalogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.category is not None:
        conditions.append(Product.category == argument("category", Text()))
    if wanted.search is not None:
        words = func.product_words(Product.name, Product.slogan, Product.description)
        conditions.append(words.bool_op("@@")(func.search_query(argument("search", Text()))))
    return conditions


@lru_cache(maxsize=512)
def _page(wanted: CatalogFilter, window: Window, ahead: Aheads, *, has_after: bool, has_before: bool) -> Statement:
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
    page = select(*PRODUCT_COLUMNS).where(*conditions, *bounds).order_by(order).limit(size).subquery("page")
    besides = Besides(ahead, page)
    return Statement(
        named("catalog", ahead),
        select(*beyond.c, *page.c, *besides.columns).select_from(besides.joined(beyond.outerjoin(page, true()))),
    )


@lru_cache(maxsize=4)
def _count(wanted: CatalogFilter) -> Statement:
    return Statement("catalog count", select(func.count()).select_from(Product).where(*_matching(wanted)))


_categories = Statement("categories", select(CategoryFigures.category, CategoryFigures.product_count))


def _shape(wanted: CatalogFilter) -> CatalogFilter:
    return CatalogFilter(None if wanted.category is None else "", None if wanted.search is None else "")


class CatalogPages(BatchLoader[CatalogPageKey, Page[ProductRow]]):
    """Pages of the whole shop, by product number. Each is a statement of its own; equal ones are asked once."""

    tags = staticmethod(tags.by_page)
    row_class = ProductRow
    may_have_ahead = ProductsById.may_have_ahead

    async def batch_load_fn(self, keys: list[CatalogPageKey]) -> list[Page[ProductRow]]:
        return await asyncio.gather(*(self._page(key) for key in keys))

    async def _page(self, key: CatalogPageKey) -> Page[ProductRow]:
        wanted, window, ahead = key.wanted, key.window, self.ahead
        bounds = {"has_after": key.after is not None, "has_before": key.before is not None}
        rows = await _page(_shape(wanted), window, ahead, **bounds).fetch(
            self.reads, category=wanted.category, search=wanted.search, after=key.after, before=key.before
        )
        any_before, any_after = rows[0][:2]
        bring = aheads_of(ahead)
        found = []
        for _, _, *values in rows:
            if values[0] is not None:
                found.append(ProductRow._make((*values[:_WIDTH], bring(values, values[_WIDTH:]))))
        found.sort(key=lambda row: row.product_id, reverse=window.backward)
        return page_of(found, window, any_before=any_before, any_after=any_after)


class CatalogCounts(BatchLoader[CatalogFilter, int]):
    """How many products match; without a search a sum of kept figures."""

    tags = staticmethod(tags.by_catalog)

    async def batch_load_fn(self, keys: list[CatalogFilter]) -> list[int]:
        return await asyncio.gather(*(self._count(key) for key in keys))

    async def _count(self, wanted: CatalogFilter) -> int:
        if wanted.search is None:
            rows = await _categories.fetch(self.reads)
            # The row named '' counts the products without a category: no filter asks for those.
            return sum(row[1] for row in rows if wanted.category is None or row[0] == wanted.category != "")
        rows = await _count(_shape(wanted)).fetch(self.reads, category=wanted.category, search=wanted.search)
        count: int = rows[0][0]
        return count


class Categories(BatchLoader[str, list[CategoryRow]]):
    """The categories by name, in code point order; products without one are not among them."""

    tags = staticmethod(tags.by_catalog)

    async def batch_load_fn(self, keys: list[str]) -> list[list[CategoryRow]]:
        rows = [CategoryRow(*row) for row in await _categories.fetch(self.reads)]
        return [sorted(row for row in rows if row.category)] * len(keys)
