"""The sequences behind the gateway's own numbers: above every number there is, and never set back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Select, case, cast, column, func, literal, select, table
from sqlalchemy.dialects.postgresql import REGCLASS

from graphql_api.db.models import Photo, Rating, Review

NUMBERED: dict[str, Any] = {
    "review_numbers": Review.review_id,
    "photo_numbers": Photo.photo_id,
    "rating_numbers": Rating.rating_id,
}
"""Each sequence and the column its numbers go to."""


def _next(sequence: str) -> Any:
    state = table(sequence, column("last_value", BigInteger), column("is_called", Boolean))
    return select(case((state.c.is_called, state.c.last_value + 1), else_=state.c.last_value)).scalar_subquery()


def _highest(sequence: str) -> Any:
    return select(func.coalesce(func.max(NUMBERED[sequence]), 0)).scalar_subquery()


def next_number(sequence: str) -> Select[int]:
    """The number that ``sequence`` gives next, from the sequence alone."""
    return select(_next(sequence))


def lagging(sequence: str) -> Select[int, int]:
    """(next number, highest number) of a sequence that would give a number which is taken; else no row."""
    return select(_next(sequence), _highest(sequence)).where(_next(sequence) <= _highest(sequence))


def advance(sequence: str, first_number: int) -> Select[int]:
    """Set ``sequence`` to ``first_number``, or above the highest number there is if that is more.

    Nothing is set where it stands there already: a number that the gateway takes meanwhile would be given again.
    """
    needed = func.greatest(literal(first_number, BigInteger), _highest(sequence) + 1)
    target = select(needed.label("needed"), _next(sequence).label("next")).subquery()
    return select(func.setval(cast(literal(sequence), REGCLASS), target.c.needed, literal(value=False))).where(
        target.c.needed > target.c.next
    )
