"""Which reviews a page shows, and in which order: what pages of one loader have in common.

Every sort is descending in all its keys and ends on the review's number, so one row comparison places a cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, DateTime, Double, Text, any_, func, not_, select
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

from graphql_api.db.models import Review
from loaders.batch import argument, array_of, literal_size, literal_zero
from loaders.page import Window
from loaders.reviews import HAS_PHOTOS, REVIEW_COLUMNS
from loaders.rows import ReviewRow

READ_COLUMNS = (*REVIEW_COLUMNS, Review.photo_count)
"""What is shown, and what says whether there are photos to look for."""

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
        conditions.append(holds_words(own, summary, body, product_id))
    return conditions


def holds_words(
    own: ColumnElement[Any], summary: ColumnElement[Any], body: ColumnElement[Any], product_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether a review of ``product_id`` holds what the bind parameter ``search`` asks for."""
    words = func.review_words(own, summary, body)
    return words.bool_op("@@")(func.review_query(product_id, argument("search", Text())))


def walked(
    selection: ReviewSelection,
    product_id: ColumnElement[int],
    bounds: Sequence[ColumnElement[bool]] = (),
    *,
    beyond: bool,
) -> Select[*tuple[Any, ...]]:
    """The reviews of a page that is no search, walked to along the sort's index; with ``beyond`` the next one too."""
    expressions = [*(key.expression for key in SORTS[selection.sort]), Review.review_id.expression]
    return (
        select(*READ_COLUMNS)
        .where(*matching(selection.filter, product_id, sort=selection.sort), *bounds)
        .order_by(*(e.asc() if selection.window.backward else e.desc() for e in expressions))
        .limit(literal_size(selection.window.size + beyond))
    )


def has_cursors(selection: ReviewSelection) -> bool:
    """Whether pages of ``selection`` are asked what lies beyond them."""
    return selection.has_after or selection.has_before


def shape_of(selection: ReviewSelection) -> ReviewSelection:
    """``selection`` with its values blanked: equal shapes share a statement."""
    wanted = selection.filter
    blank = ReviewFilter(
        ratings=None if wanted.ratings is None else (0,) * min(len(wanted.ratings), 2),
        recommended=wanted.recommended,
        with_photos=wanted.with_photos,
        search=None if wanted.search is None else "",
    )
    return ReviewSelection(selection.sort, blank, selection.window, selection.has_after, selection.has_before)
