"""The catalogue as a list: pages of products by number, how many there are, and the categories."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Subquery,
    Text,
    case,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect, Select

from graphql_api.db.models import CategoryFigures, Product
from loaders import tags
from loaders.batch import Aheads, BatchLoader, Besides, aheads_of, argument, literal_size, literal_zero, named
from loaders.page import Page, Window, page_of
from loaders.products import PRODUCT_COLUMNS, ProductsById
from loaders.rows import CategoryRow, ProductRow
from loaders.statement import Statement

_WIDTH = len(PRODUCT_COLUMNS)
_NEAREST = 400
"""Products that a search looks at along the catalogue. Words that one in twenty has are found in them."""

_number = Product.product_id.expression


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
        conditions.append(_holds_words(Product.__table__))
    return conditions


def _holds_words(products: FromClause) -> ColumnElement[bool]:
    """Whether one of ``products`` holds what the bind parameter ``search`` asks for."""
    words = func.product_words(products.c.name, products.c.slogan, products.c.description)
    return words.bool_op("@@")(func.search_query(argument("search", Text())))


@lru_cache(maxsize=512)
def _page(wanted: CatalogFilter, window: Window, ahead: Aheads, *, has_after: bool, has_before: bool) -> Statement:
    after, before = argument("after", BigInteger()), argument("before", BigInteger())
    bounds = ([_number > after] if has_after else []) + ([_number < before] if has_before else [])
    nothing = not_(true())
    beyond = select(
        (_any(wanted, _number <= after, _number.desc()) if has_after else nothing).label("any_before"),
        (_any(wanted, _number >= before, _number.asc()) if has_before else nothing).label("any_after"),
    ).subquery("beyond")
    page: Subquery
    if wanted.search is None:
        page = _walk(wanted, bounds, _order(_number, window), window.size + 1).subquery("page")
    else:
        page = _searched(wanted, bounds, window).subquery("page")
    besides = Besides(ahead, page)
    return Statement(
        named("catalog", ahead),
        select(*beyond.c, *page.c, *besides.columns).select_from(besides.joined(beyond.outerjoin(page, true()))),
    )


def _order(number: ColumnElement[int], window: Window) -> ColumnElement[Any]:
    return number.desc() if window.backward else number.asc()


def _walk(
    wanted: CatalogFilter, bounds: list[ColumnElement[bool]], order: ColumnElement[Any], most: int
) -> Select[*tuple[Any, ...]]:
    """The first products along the catalogue."""
    walked = select(*PRODUCT_COLUMNS).where(*_matching(wanted), *bounds).order_by(order)
    return walked.limit(literal_size(most))


def _searched(
    wanted: CatalogFilter, bounds: list[ColumnElement[bool]], window: Window
) -> CompoundSelect[*tuple[Any, ...]]:
    """A page of a search.

    PostgreSQL cannot know how many products hold the words of a parameter. It takes them for one in 200 and walks along
    the catalogue until it has a page, which for a word that none has is all of it: of a million more than 20 s. So the
    nearest ``_NEAREST`` are looked at, and where they do not hold a page, the index of words finds it.
    """
    most = literal_size(window.size + 1)
    here = replace(wanted, search=None)
    near = _walk(here, bounds, _order(_number, window), _NEAREST).subquery("near")
    few = (
        select(*near.c)
        .where(_holds_words(near))
        .order_by(_order(near.c.product_id, window))
        .limit(most)
        .cte("few")
        .prefix_with("MATERIALIZED")
    )
    seen = _walk(here, bounds, _order(_number, window), _NEAREST).with_only_columns(_number).subquery("seen")
    found, looked_at = (select(func.count()).select_from(rows).scalar_subquery() for rows in (few, seen))
    # With fewer than that there are no others.
    is_enough = or_(found == most, looked_at < literal_size(_NEAREST))
    by_words = (
        select(*PRODUCT_COLUMNS)
        .where(*_matching(wanted), *bounds)
        # With a zero added no index has the order, and PostgreSQL cannot walk along it.
        .order_by(_order(_number + literal_zero(), window))
        .limit(most)
        .subquery("by_words")
    )
    return union_all(select(*few.c).where(is_enough), by_words.select().where(not_(is_enough)))


def _any(wanted: CatalogFilter, bound: ColumnElement[bool], order: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether any product matches beyond a cursor, looked for from the cursor on in ``order``."""
    if wanted.search is None:
        return exists().where(*_matching(wanted), bound)
    near = _walk(replace(wanted, search=None), [bound], order, _NEAREST).subquery("beyond_near")
    is_near = exists(select(near.c.product_id).where(_holds_words(near)))
    # A count, for which PostgreSQL looks at all that have the words: to find any it would rather look at all products.
    counted = select(func.count()).select_from(Product).where(*_matching(wanted), bound).scalar_subquery()
    return case((is_near, true()), else_=counted > literal_zero())


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
        wanted, window, ahead = key.wanted, key.window, self.extent.ahead
        bounds = {"has_after": key.after is not None, "has_before": key.before is not None}
        rows = await _page(_shape(wanted), window, ahead, **bounds).fetch(
            self.reads, category=wanted.category, search=wanted.search, after=key.after, before=key.before
        )
        any_before, any_after = rows[0][:2]
        bring = aheads_of(ahead)
        found = []
        for _, _, *values in rows:
            if values[0] is not None:
                found.append(ProductRow._make((*values[:_WIDTH], bring(values, values, _WIDTH))))
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
