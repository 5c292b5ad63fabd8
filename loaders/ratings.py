"""What reviews say of their product's characteristics."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.sql.selectable import FromClause

from graphql_api.db.models import Rating
from loaders import tags
from loaders.batch import BatchLoader, arrays_by, many_each, numbers_table
from loaders.json_rows import FoundRows, JsonRows, json_list
from loaders.rows import RatingRow, rows_of
from loaders.statement import Statement

_BESIDE = (Rating.characteristic_id.expression, Rating.rating_id.expression, Rating.value.expression)
_keys = numbers_table("product_ids", "review_ids")
_by_review = Statement(
    "ratings by review",
    select(*(getattr(Rating, name) for name in RatingRow._fields))
    .join_from(_keys, Rating, (Rating.product_id == _keys.c.product_ids) & (Rating.review_id == _keys.c.review_ids))
    .order_by(Rating.product_id, Rating.review_id, Rating.rating_id),
)


class RatingsByReview(BatchLoader[tuple[int, int], list[RatingRow]]):
    """The characteristic ratings of a review (product number, review number), by id."""

    tags = staticmethod(tags.by_first)
    table = Rating.__table__
    noun = "ratings"
    width = 3

    async def batch_load_fn(self, keys: list[tuple[int, int]]) -> list[list[RatingRow]]:
        rows = await _by_review.fetch(self.reads, product_ids=[k[0] for k in keys], review_ids=[k[1] for k in keys])
        return many_each(keys, (RatingRow(*row) for row in rows), attrgetter("product_id", "review_id"))

    @classmethod
    def beside(cls, row: FromClause) -> FromClause:
        """An array a column."""
        return (
            arrays_by(Rating.rating_id.expression, *_BESIDE)
            .where(Rating.product_id == row.c.product_id, Rating.review_id == row.c.review_id)
            .lateral("ratings_of")
        )

    @classmethod
    def of_beside(cls, row: Sequence[Any], record: Sequence[Any], at: int) -> list[RatingRow]:
        """The ratings of the review that starts with its product's number and its own."""
        characteristics, numbers, chosen = record[at : at + 3]
        if numbers is None:
            return []
        return rows_of(RatingRow, repeat(row[0]), repeat(row[1]), characteristics, numbers, chosen)

    @classmethod
    def json_beside(cls, row: FromClause, rows: JsonRows, found: FoundRows | None) -> ColumnElement[str]:
        """The same, as JSON."""
        of_review = [Rating.product_id == row.c.product_id, Rating.review_id == row.c.review_id]
        return json_list(rows, Rating.__table__, Rating.rating_id.expression, of_review, found)
