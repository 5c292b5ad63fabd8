"""Photos of reviews."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.sql.selectable import FromClause

from graphql_api.db.models import Photo, Review
from loaders import tags
from loaders.batch import BatchLoader, arrays_by, literal_zero, many_each, numbers_table, one_each
from loaders.json_rows import FoundRows, JsonRows, json_list
from loaders.rows import PhotoRow, ReviewRow, rows_of
from loaders.statement import Statement
from loaders.visible import VISIBLE

PHOTO_COLUMNS = (Photo.product_id, Photo.review_id, Photo.photo_id, Photo.url, Review.created_at)
_CREATED_AT = ReviewRow._fields.index("created_at")
PHOTO_OF_REVIEW = (Review.product_id == Photo.product_id) & (Review.review_id == Photo.review_id)

_reviews = numbers_table("product_ids", "review_ids")
_by_review = Statement(
    "photos by review",
    select(*PHOTO_COLUMNS)
    .select_from(_reviews)
    .join(Photo, (Photo.product_id == _reviews.c.product_ids) & (Photo.review_id == _reviews.c.review_ids))
    .join(Review, PHOTO_OF_REVIEW)
    .where(VISIBLE)
    .order_by(Photo.product_id, Photo.review_id, Photo.photo_id),
)
_photos = numbers_table("product_ids", "review_ids", "photo_ids")
_by_id = Statement(
    "photos by id",
    select(*PHOTO_COLUMNS)
    .select_from(_photos)
    .join(
        Photo,
        (Photo.product_id == _photos.c.product_ids)
        & (Photo.review_id == _photos.c.review_ids)
        & (Photo.photo_id == _photos.c.photo_ids),
    )
    .join(Review, PHOTO_OF_REVIEW)
    .where(VISIBLE),
)


class PhotosByReview(BatchLoader[tuple[int, int], list[PhotoRow]]):
    """The photos of a visible review (product number, review number), by id."""

    tags = staticmethod(tags.by_first)
    table = Photo.__table__
    noun = "photos"
    width = 2

    async def batch_load_fn(self, keys: list[tuple[int, int]]) -> list[list[PhotoRow]]:
        rows = await _by_review.fetch(self.reads, product_ids=[k[0] for k in keys], review_ids=[k[1] for k in keys])
        return many_each(keys, (PhotoRow(*row) for row in rows), attrgetter("product_id", "review_id"))

    @classmethod
    def beside(cls, row: FromClause) -> FromClause:
        """An array a column."""
        arrays = arrays_by(Photo.photo_id.expression, Photo.photo_id.expression, Photo.url.expression)
        return arrays.where(*_of(row)).lateral("photos_of")

    @classmethod
    def of_beside(cls, row: Sequence[Any], record: Sequence[Any], at: int) -> list[PhotoRow]:
        """The photos of the review that the row is."""
        numbers, urls = record[at : at + 2]
        if numbers is None:
            return []
        return rows_of(PhotoRow, repeat(row[0]), repeat(row[1]), numbers, urls, repeat(row[_CREATED_AT]))

    @classmethod
    def json_beside(cls, row: FromClause, rows: JsonRows, found: FoundRows | None) -> ColumnElement[str]:
        """The same, as JSON."""
        return json_list(rows, Photo.__table__, Photo.photo_id.expression, _of(row), found)


def _of(review: FromClause) -> list[ColumnElement[bool]]:
    """The conditions on photos of a row that is a visible review, and knows whether it has any."""
    own = [Photo.product_id == review.c.product_id, Photo.review_id == review.c.review_id]
    return [*own, review.c.photo_count > literal_zero()]


class PhotosById(BatchLoader[tuple[int, int, int], PhotoRow | None]):
    """The photo of a (product, review, photo) number, if its review is visible."""

    tags = staticmethod(tags.by_first)

    async def batch_load_fn(self, keys: list[tuple[int, int, int]]) -> list[PhotoRow | None]:
        rows = await _by_id.fetch(
            self.reads,
            product_ids=[k[0] for k in keys],
            review_ids=[k[1] for k in keys],
            photo_ids=[k[2] for k in keys],
        )
        return one_each(keys, (PhotoRow(*row) for row in rows), attrgetter("product_id", "review_id", "photo_id"))
