"""Pages of a product's reviews, by keyset: each sort walks one index, and page 10,000 costs what page 1 costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    case,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql.elements import Tuple
from sqlalchemy.types import TypeEngine

from graphql_api.db.models import Review
from loaders import tags
from loaders.batch import (
    BatchLoader,
    Besides,
    Extent,
    aheads_of,
    arrays_table,
    literal_size,
    literal_zero,
    named,
)
from loaders.page import Page, page_of
from loaders.photos import PhotosByReview
from loaders.ratings import RatingsByReview
from loaders.review_selection import (
    READ_COLUMNS,
    SORTS,
    ReviewPageKey,
    ReviewSelection,
    has_cursors,
    holds_words,
    matching,
    position_of,
    shape_of,
    walked,
)
from loaders.reviews import REVIEW_COLUMNS
from loaders.rows import ReviewRow, as_row
from loaders.statement import Statement
from loaders.written_pages import WrittenPage, beside_product, pages_of, written_page

_NEAREST = 100
"""Reviews that a search looks at along the sort: 3 ms. Words of one review in twenty and more are found in them."""


def _order(sort: str) -> Callable[[ReviewRow], Any]:
    """What ``position_of`` gives, where it is the row's own values without a frame of Python's for each row."""
    if any(key.sign < 0 for key in SORTS[sort]):
        return partial(position_of, sort=sort)
    return attrgetter(*(key.attribute for key in SORTS[sort]), "review_id")


_ORDERS = {sort: _order(sort) for sort in SORTS}


@lru_cache(maxsize=1024)  # 5 sorts, few page sizes and filters, and what front ends show: dozens
def _statement(selection: ReviewSelection, extent: Extent) -> Statement:
    ahead, beyond, json = extent
    sort = SORTS[selection.sort]
    expressions = [*(key.expression for key in sort), Review.review_id.expression]
    types: list[TypeEngine[Any]] = [*(key.type for key in sort), BigInteger()]
    after_columns = [(f"after_{n}", type_) for n, type_ in enumerate(types) if selection.has_after]
    before_columns = [(f"before_{n}", type_) for n, type_ in enumerate(types) if selection.has_before]
    keys = arrays_table(("product_id", BigInteger()), *after_columns, *before_columns)
    place = tuple_(*expressions)

    def at(table: FromClause, side: str) -> Tuple:
        return tuple_(*(table.c[f"{side}_{n}"] for n in range(len(types))))

    once: FromClause = keys
    others: list[ColumnElement[bool]] = []
    if beyond and has_cursors(selection):
        nothing = not_(true())
        # A cursor's own review may be gone, so what lies beyond it is looked for, not concluded; once a key, where a
        # plain subquery would look once for every row of the page.
        once = (
            select(
                *keys.c,
                (
                    _any(selection, keys, place >= at(keys, "after"), [e.asc() for e in expressions])
                    if selection.has_after
                    else nothing
                ).label("any_before"),
                (
                    _any(selection, keys, place <= at(keys, "before"), [e.desc() for e in expressions])
                    if selection.has_before
                    else nothing
                ).label("any_after"),
            )
            .cte("once")
            .prefix_with("MATERIALIZED")
        )
        others = [once.c.any_before, once.c.any_after]
    bounds = [place < at(once, "after")] if selection.has_after else []
    bounds += [place > at(once, "before")] if selection.has_before else []
    order = [e.asc() if selection.window.backward else e.desc() for e in expressions]
    source: FromClause = once
    page: FromClause
    if selection.filter.search is None:
        page = walked(selection, once.c.product_id, bounds, beyond=beyond).correlate(once).lateral("page")
    else:
        near, page = _searched(selection, once, bounds, order, selection.window.size + beyond)
        source = once.join(near, true())
    if json is not None:
        written = written_page(selection, extent).of(page, once).correlate(once).lateral("written")
        return Statement(
            f"reviews by product, {selection.sort.lower()}",
            select(once.c.place, *others, *written.c).select_from(source.join(written, true())),
        )
    besides = Besides(ahead, page)
    shown = [page.c[column.key] for column in REVIEW_COLUMNS]
    return Statement(
        named(f"reviews by product, {selection.sort.lower()}", ahead),
        select(once.c.place, *others, *shown, *besides.columns).select_from(
            besides.joined(source.outerjoin(page, true()))
        ),
    )


def _searched(
    selection: ReviewSelection,
    once: FromClause,
    bounds: list[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    most: int,
) -> tuple[FromClause, FromClause]:
    """How many of the nearest reviews a search finds, and its page of at most ``most``.

    A word that many reviews have is found on the way along the sort's index, one that few have by the index of words.
    PostgreSQL cannot know which it is: on a product with 100,000 reviews it took 2 s to find that none has a word. So
    the nearest 100 are looked at first, and where a page is in them, that is the page.
    """
    size = literal_size(most)
    wanted = replace(selection.filter, search=None)
    here = matching(wanted, once.c.product_id, sort=selection.sort)

    def found_near(name: str) -> tuple[FromClause, ColumnElement[bool]]:
        walked = select(*READ_COLUMNS).where(*here, *bounds).order_by(*order).limit(literal_size(_NEAREST))
        walk = walked.correlate(once).subquery(name)
        return walk, holds_words(walk.c.product_id, walk.c.summary, walk.c.body, once.c.product_id)

    first, fits = found_near("first")
    few = select(first.c.review_id).where(fits).limit(size).correlate(once).subquery("few")
    # In their order, for which PostgreSQL 15 would read the whole table otherwise, to count a hundred of them.
    all_near = select(Review.review_id).where(*here, *bounds).order_by(*order).limit(literal_size(_NEAREST))
    near = select(
        select(func.count()).select_from(few).correlate(once).scalar_subquery().label("found"),
        select(func.count())
        .select_from(all_near.correlate(once).subquery("all_near"))
        .correlate(once)
        .scalar_subquery()
        .label("seen"),
    ).lateral("near")
    again, fits = found_near("again")
    # With fewer than that the product has no others.
    enough = or_(near.c.found == size, near.c.seen < literal_size(_NEAREST))
    by_walk = select(*again.c).where(fits, enough).limit(size).correlate(once, near)
    everywhere = matching(selection.filter, once.c.product_id, sort=selection.sort, by_words=True)
    by_words = (
        select(*READ_COLUMNS)
        .where(*everywhere, *bounds, not_(enough))
        .order_by(*order)
        .limit(size)
        .correlate(once, near)
    )
    both = union_all(by_walk.subquery("by_walk").select(), by_words.subquery("by_words").select())
    return near, both.lateral("page")


def _any(
    selection: ReviewSelection, keys: FromClause, bound: ColumnElement[bool], order: Sequence[ColumnElement[Any]]
) -> ColumnElement[bool]:
    """Whether any review matches beyond a cursor, looked for from the cursor on in ``order``.

    Of a search the nearest are looked at first, as for its page.
    """
    wanted, product_id = selection.filter, keys.c.product_id
    if wanted.search is None:
        return exists(Review.review_id).where(*matching(wanted, product_id, sort=selection.sort), bound)
    here = matching(replace(wanted, search=None), product_id, sort=selection.sort)
    walked = select(Review.product_id, Review.summary, Review.body).where(*here, bound).order_by(*order)
    near = walked.limit(literal_size(_NEAREST)).correlate(keys).subquery("beyond_near")
    fits = holds_words(near.c.product_id, near.c.summary, near.c.body, product_id)
    is_near = select(near.c.product_id).where(fits).correlate(keys).exists()
    # A count, for which PostgreSQL looks at all that have the words: to find any it would rather walk on.
    everywhere = matching(wanted, product_id, sort=selection.sort, by_words=True)
    counted = select(func.count(Review.review_id)).where(*everywhere, bound).correlate(keys).scalar_subquery()
    return case((is_near, true()), else_=counted > literal_zero())


class ReviewPages(BatchLoader[ReviewPageKey, Page[ReviewRow]]):
    """Pages of several products in one statement, for one selection."""

    tags = staticmethod(tags.by_attribute)
    selection: ReviewSelection
    row_class = ReviewRow
    table = Review.__table__
    may_have_ahead = frozenset({PhotosByReview, RatingsByReview})
    looks_beyond = True

    async def batch_load_fn(self, keys: list[ReviewPageKey]) -> list[Page[ReviewRow]]:
        wanted = self.selection.filter
        parameters: dict[str, object] = {
            "product_id": [key.product_id for key in keys],
            "ratings": wanted.ratings,
            "rating": wanted.ratings[0] if wanted.ratings else None,
            "negated": -wanted.ratings[0] if wanted.ratings else None,
            "search": wanted.search,
        }
        for n in range(len(SORTS[self.selection.sort]) + 1):
            parameters[f"after_{n}"] = [key.after[n] for key in keys if key.after is not None]
            parameters[f"before_{n}"] = [key.before[n] for key in keys if key.before is not None]
        shape = shape_of(self.selection)
        records = await _statement(shape, self.extent).fetch(self.reads, **parameters)
        is_looked_for = self.extent.beyond and has_cursors(self.selection)
        start = 3 if is_looked_for else 1
        if self.extent.json is not None:
            return pages_of(keys, records, written_page(shape, self.extent), start)
        bring = aheads_of(self.extent.ahead)
        rows: list[list[ReviewRow]] = [[] for _ in keys]
        beyond: list[tuple[bool, bool]] = [(False, False)] * len(keys)
        end = start + len(REVIEW_COLUMNS)
        for record in records:
            place = record[0] - 1
            if is_looked_for:
                beyond[place] = record[1:3]
            if record[start] is not None:  # a product whose page is empty still says what lies beyond
                values = record[start:end]
                rows[place].append(as_row(ReviewRow, (*values, bring(values, record, end))))
        window = self.selection.window
        reverse, order = not window.backward, _ORDERS[self.selection.sort]
        return [
            page_of(
                # Sorted here: SQL promises no order beyond the subquery, and a page is a hundred rows at most.
                sorted(found, key=order, reverse=reverse),
                window,
                any_before=any_before,
                any_after=any_after,
            )
            for found, (any_before, any_after) in zip(rows, beyond, strict=True)
        ]

    @classmethod
    def beside_product(cls, selection: ReviewSelection, extent: Extent) -> WrittenPage | None:
        """The first page of all reviews, or the last: a filter or a cursor would be one of the statement's values."""
        return beside_product(selection, extent)
