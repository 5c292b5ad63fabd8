"""The rows that loaders return. A field's name is its column's name; a row's select is made from its fields.

``ahead``, which is no column, holds what was loaded along with the row, in the order of the loader's ``ahead``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row", bound=tuple[Any, ...])

as_row = tuple.__new__
"""``as_row(ReviewRow, values)``: what ``ReviewRow._make`` does, without its frame and check: a page has 30 rows."""


def rows_of(row_class: type[Row], *columns: Iterable[Any]) -> list[Row]:
    """Rows of columns, the shortest of which says how many; all in C."""
    return list(map(as_row, repeat(row_class), zip(*columns)))  # noqa: B905 - repeated ones have no end


class ProductRow(NamedTuple):
    """A product as the shop describes it. The price is as PostgreSQL writes it, with two places."""

    product_id: int
    name: str
    slogan: str | None
    description: str | None
    category: str | None
    default_price: str | None
    ahead: tuple[Any, ...] = ()


class FiguresRow(NamedTuple):
    """How many visible reviews a product has in each of 20 cells, and how many photos they show.

    Cell (stars - 1) * 4 + recommended * 2 + with photos, from 0.
    """

    product_id: int
    counts: list[int]
    photo_count: int

    def by_rating(self, *, recommended: bool | None = None, with_photos: bool | None = None) -> list[int]:
        """Counts of 1 to 5 stars, over the cells that fit."""
        counts = self.counts
        if recommended is None and with_photos is None:
            return [sum(counts[:4]), sum(counts[4:8]), sum(counts[8:12]), sum(counts[12:16]), sum(counts[16:])]
        cells = [
            is_recommended * 2 + has_photos
            for is_recommended in ((0, 1) if recommended is None else (recommended,))
            for has_photos in ((0, 1) if with_photos is None else (with_photos,))
        ]
        return list(map(sum, zip(*(counts[cell::4] for cell in cells), strict=True)))


class CharacteristicRow(NamedTuple):
    """A characteristic of a product with how many visible reviews chose 1, 2, 3, 4 and 5."""

    product_id: int
    characteristic_id: int
    kind: str
    counts: list[int]


class ReviewRow(NamedTuple):
    """A visible review. The reviewer's e-mail address is never read."""

    product_id: int
    review_id: int
    rating: int
    created_at: datetime
    summary: str
    body: str
    recommended: bool
    reviewer_name: str
    response: str | None
    helpfulness: int
    relevance: float
    ahead: tuple[Any, ...] = ()


class PhotoRow(NamedTuple):
    """A photo of a visible review, with that review's time, which product-wide pages are sorted by."""

    product_id: int
    review_id: int
    photo_id: int
    url: str
    created_at: datetime


class RatingRow(NamedTuple):
    """What a review says of one characteristic: 1 to 5."""

    product_id: int
    review_id: int
    characteristic_id: int
    rating_id: int
    value: int


class CategoryRow(NamedTuple):
    """A category and how many products it has."""

    category: str
    product_count: int
