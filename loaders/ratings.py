"""What reviews say of their product's characteristics."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import select

from graphql_api.db.models import Rating
from loaders.batch import BatchLoader, many_each, numbers_table
from loaders.rows import RatingRow
from loaders.statement import Statement

_keys = numbers_table("product_ids", "review_ids")
_by_review = Statement(
    "ratings by review",
    select(*(getattr(Rating, name) for name in RatingRow._fields))
    .join_from(_keys, Rating, (Rating.product_id == _keys.c.product_ids) & (Rating.review_id == _keys.c.review_ids))
    .order_by(Rating.product_id, Rating.review_id, Rating.rating_id),
)


class RatingsByReview(BatchLoader[tuple[int, int], list[RatingRow]]):
    """The characteristic ratings of a review (product number, review number), by id."""

    async def batch_load_fn(self, keys: list[tuple[int, int]]) -> list[list[RatingRow]]:
        rows = await _by_review.fetch(self.reads, product_ids=[k[0] for k in keys], review_ids=[k[1] for k in keys])
        return many_each(keys, (RatingRow(*row) for row in rows), attrgetter("product_id", "review_id"))
