"""Pages of a product's reviews, by keyset: each sort walks one index, and page 10,000 costs what page 1 costs.

Every sort is descending in all its keys and ends on the review's number, so one row comparison places a cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Double,
    FromClause,
    Text,
    any_,
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
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.elements import Tuple
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

from graphql_api.db.models import Review
from loaders import tags
from loaders.batch import (
    BatchLoader,
    Besides,
    Extent,
    aheads_of,
    argument,
    array_of,
    arrays_table,
    literal_size,
    literal_zero,
    named,
)
from loaders.json_rows import json_objects
from loaders.page import Page, Window, page_of
from loaders.photos import PhotosByReview
from loaders.ratings import RatingsByReview
from loaders.reviews import HAS_PHOTOS, REVIEW_COLUMNS
from loaders.rows import ReviewRow, as_row
from loaders.statement import Statement

_READ_COLUMNS = (*REVIEW_COLUMNS, Review.photo_count)
"""What is shown, and what says whether there are photos to look for."""

_NEAREST = 100
"""Reviews that a search looks at along the sort: 3 ms. Words of one review in twenty and more are found in them."""

Position: TypeAlias = tuple[float | int | datetime, ...]
"""Where a review stands in a sort: the sort's keys, then the review's number."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort: its expression in SQL, its type, and how it is read from a row."""

    expression: ColumnElement[Any]
    type: TypeEngine[Any]
    sign: int
    attribute: str

    def of(self, row: ReviewRow) -> float | int | datetime:
        """The key's value in ``row``."""
        value: float | int | datetime = getattr(row, self.attribute)
        return self.sign * value if isinstance(value, int) else value


_relevance = SortKey(Review.relevance.expression, Double(), 1, "relevance")
_created_at = SortKey(Review.created_at.expression, DateTime(timezone=True), 1, "created_at")
_helpfulness = SortKey(Review.helpfulness.expression, BigInteger(), 1, "helpfulness")
_rating = SortKey(Review.rating.expression, BigInteger(), 1, "rating")
_lowest = SortKey(-Review.rating.expression, BigInteger(), -1, "rating")

SORTS: dict[str, tuple[SortKey, ...]] = {
    "RELEVANT": (_relevance,),
    "NEWEST": (_created_at,),
    "HELPFUL": (_helpfulness, _created_at),
    "HIGHEST_RATED": (_rating, _created_at),
    "LOWEST_RATED": (_lowest, _created_at),
}


def position_of(row: ReviewRow, sort: str) -> Position:
    """Where ``row`` stands in ``sort``."""
    return (*(key.of(row) for key in SORTS[sort]), row.review_id)


def _order(sort: str) -> Callable[[ReviewRow], Any]:
    """What ``position_of`` gives, where it is the row's own values without a frame of Python's for each row."""
    if any(key.sign < 0 for key in SORTS[sort]):
        return partial(position_of, sort=sort)
    return attrgetter(*(key.attribute for key in SORTS[sort]), "review_id")


_ORDERS = {sort: _order(sort) for sort in SORTS}


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews are shown; ``None`` does not narrow. ``search`` holds at least one word."""

    ratings: tuple[int, ...] | None = None
    recommended: bool | None = None
    with_photos: bool | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewSelection:
    """What pages of one loader have in common."""

    sort: str
    filter: ReviewFilter
    window: Window
    has_after: bool
    has_before: bool
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = (self.sort, self.filter, self.window, self.has_after, self.has_before)
        object.__setattr__(self, "_hash", hash(values))

    def __hash__(self) -> int:
        """Worked out once: each load looks its loader up by it."""
        return self._hash


class ReviewPageKey(NamedTuple):
    """One product's page, between the positions of the cursors given."""

    product_id: int
    after: Position | None = None
    before: Position | None = None


def _stars(sort: str | None, *, single: bool) -> ColumnElement[bool]:
    """The condition on stars: the bind parameter ``rating`` for one number, ``ratings`` for several."""
    # By the stars' own index PostgreSQL would read all reviews of as many stars and sort them, 25 ms for a product with
    # 100,000; "+ 0" keeps to the index of the sort. With one number of stars that index is the sort's own for two.
    if single and sort == "HIGHEST_RATED":
        return Review.rating == argument("rating", BigInteger())
    if single and sort == "LOWEST_RATED":
        return -Review.rating == argument("negated", BigInteger())
    return Review.rating + literal_zero() == any_(array_of("ratings", BigInteger()))


def matching(
    wanted: ReviewFilter, product_id: ColumnElement[int], *, sort: str | None = None, by_words: bool = False
) -> list[ColumnElement[bool]]:
    """The conditions of ``wanted``; stars and search are the bind parameters ``ratings`` and ``search``.

    ``by_words``: the index of words, which holds the product too, is to find them; "+ 0" keeps the others out of it.
    """
    number = Review.product_id + literal_zero() if by_words else Review.product_id
    conditions: list[ColumnElement[bool]] = [number == product_id, not_(Review.reported)]
    if wanted.ratings is not None:
        conditions.append(_stars(sort, single=len(wanted.ratings) == 1))
    if wanted.recommended is not None:
        conditions.append(Review.recommended.expression if wanted.recommended else not_(Review.recommended))
    if wanted.with_photos is not None:
        conditions.append(HAS_PHOTOS if wanted.with_photos else not_(HAS_PHOTOS))
    if wanted.search is not None:
        own, summary, body = (one.expression for one in (Review.product_id, Review.summary, Review.body))
        conditions.append(_holds_words(own, summary, body, product_id))
    return conditions


def _holds_words(
    own: ColumnElement[Any], summary: ColumnElement[Any], body: ColumnElement[Any], product_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether a review of ``product_id`` holds what the bind parameter ``search`` asks for."""
    words = func.review_words(own, summary, body)
    return words.bool_op("@@")(func.review_query(product_id, argument("search", Text())))


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
    if beyond and _has_cursors(selection):
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
        page = _walked(selection, once.c.product_id, bounds, beyond=beyond).correlate(once).lateral("page")
    else:
        near, page = _searched(selection, once, bounds, order, selection.window.size + beyond)
        source = once.join(near, true())
    if json is not None:
        written = _written(selection, extent).of(page).correlate(once).lateral("written")
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


def _walked(
    selection: ReviewSelection,
    product_id: ColumnElement[int],
    bounds: Sequence[ColumnElement[bool]] = (),
    *,
    beyond: bool,
) -> Select[*tuple[Any, ...]]:
    """The reviews of a page that is no search, walked to along the sort's index; with ``beyond`` the next one too."""
    expressions = [*(key.expression for key in SORTS[selection.sort]), Review.review_id.expression]
    return (
        select(*_READ_COLUMNS)
        .where(*matching(selection.filter, product_id, sort=selection.sort), *bounds)
        .order_by(*(e.asc() if selection.window.backward else e.desc() for e in expressions))
        .limit(literal_size(selection.window.size + beyond))
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
        walked = select(*_READ_COLUMNS).where(*here, *bounds).order_by(*order).limit(literal_size(_NEAREST))
        walk = walked.correlate(once).subquery(name)
        return walk, _holds_words(walk.c.product_id, walk.c.summary, walk.c.body, once.c.product_id)

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
        select(*_READ_COLUMNS)
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
    fits = _holds_words(near.c.product_id, near.c.summary, near.c.body, product_id)
    is_near = select(near.c.product_id).where(fits).correlate(keys).exists()
    # A count, for which PostgreSQL looks at all that have the words: to find any it would rather walk on.
    everywhere = matching(wanted, product_id, sort=selection.sort, by_words=True)
    counted = select(func.count(Review.review_id)).where(*everywhere, bound).correlate(keys).scalar_subquery()
    return case((is_near, true()), else_=counted > literal_zero())


class WrittenPage:
    """A page of reviews that PostgreSQL writes as JSON: a text a review, and what cursors are made of.

    It can come ahead with its product's row, which saves a statement, and a request half of its wakings.
    """

    noun = "reviews"

    def __init__(self, selection: ReviewSelection, extent: Extent) -> None:
        assert extent.json is not None
        self._selection = selection
        self._json = extent.json
        self._beyond = extent.beyond
        self._ends = (*(key.attribute for key in SORTS[selection.sort]), "review_id") if extent.beyond else ()
        self.width = 1 + len(self._ends)

    def of(self, page: FromClause) -> Select[*tuple[Any, ...]]:
        """One row of those of ``page``: arrays in the connection's order, null where there are none."""
        # Each says it: SQL promises no order beyond the subquery.
        order = [
            page.c[key.attribute].desc() if key.sign > 0 else page.c[key.attribute].asc()
            for key in SORTS[self._selection.sort]
        ]
        columns = [json_objects(self._json, page), *(page.c[name] for name in self._ends)]
        arrays = [func.array_agg(aggregate_order_by(one, *order, page.c.review_id.desc())) for one in columns]
        return select(*arrays).select_from(page)

    def beside(self, row: FromClause) -> FromClause:
        """The arrays for a product."""
        page = _walked(self._selection, row.c.product_id, beyond=self._beyond).correlate(row).subquery("page")
        return self.of(page).correlate(row).lateral("reviews_of")

    def of_beside(self, row: Sequence[Any], values: Sequence[Any]) -> Page[ReviewRow]:
        """The page of the product that starts the row."""
        return self.page(row[0], values)

    def page(
        self, product_id: int, values: Sequence[Any], *, any_before: bool = False, any_after: bool = False
    ) -> Page[ReviewRow]:
        """The page of the arrays; ``any_before`` and ``any_after`` as for ``page_of``."""
        texts: list[str] = values[0] or []
        size, backward = self._selection.window.size, self._selection.window.backward
        more = len(texts) > size
        start = len(texts) - size if more and backward else 0
        shown = texts[start : start + size]
        ends: list[ReviewRow] = []
        if self._ends and shown:
            of_product = _NO_REVIEW._replace(product_id=product_id)
            for place in (start, start + len(shown) - 1):
                keys = [array[place] for array in values[1:]]
                ends.append(of_product._replace(**dict(zip(self._ends, keys, strict=True))))
        before, after = (more, False) if backward else (False, more)
        return Page(ends, any_before or before, any_after or after, json=f"[{','.join(shown)}]")


_NO_REVIEW = as_row(ReviewRow, (None,) * len(ReviewRow._fields))
_written = lru_cache(maxsize=1024)(WrittenPage)  # as many as there are statements


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
        shape = _shape(self.selection)
        records = await _statement(shape, self.extent).fetch(self.reads, **parameters)
        is_looked_for = self.extent.beyond and _has_cursors(self.selection)
        start = 3 if is_looked_for else 1
        if self.extent.json is not None:
            return _written_pages(keys, records, _written(shape, self.extent), start)
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
                rows[place].append(as_row(ReviewRow, (*values, bring(values, record[end:]))))
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
        return _beside_product(selection, extent)


_ALL = ReviewFilter()


@lru_cache(maxsize=1024)
def _beside_product(selection: ReviewSelection, extent: Extent) -> WrittenPage | None:
    if extent.json is None or selection.filter != _ALL or _has_cursors(selection):
        return None
    return _written(selection, extent)


def _written_pages(
    keys: Sequence[ReviewPageKey], records: Sequence[Sequence[Any]], written: WrittenPage, start: int
) -> list[Page[ReviewRow]]:
    """The pages of ``records``, one of each key, which say from ``start`` on what it holds."""
    pages: list[Any] = [None] * len(keys)
    for record in records:
        place = record[0] - 1
        any_before, any_after = record[1:3] if start > 1 else (False, False)
        pages[place] = written.page(keys[place].product_id, record[start:], any_before=any_before, any_after=any_after)
    return pages


def _has_cursors(selection: ReviewSelection) -> bool:
    """Whether pages of ``selection`` are asked what lies beyond them."""
    return selection.has_after or selection.has_before


def _shape(selection: ReviewSelection) -> ReviewSelection:
    """``selection`` with its values blanked: equal shapes share a statement."""
    wanted = selection.filter
    blank = ReviewFilter(
        ratings=None if wanted.ratings is None else (0,) * min(len(wanted.ratings), 2),
        recommended=wanted.recommended,
        with_photos=wanted.with_photos,
        search=None if wanted.search is None else "",
    )
    return ReviewSelection(selection.sort, blank, selection.window, selection.has_after, selection.has_before)
