"""Single reviews: by product and number, and by plain number alone. Reported ones are never returned."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter

from sqlalchemy import BigInteger, any_, select

from graphql_api.db.models import Review
from loaders import tags
from loaders.batch import (
    Aheads,
    BatchLoader,
    Besides,
    array_of,
    literal_zero,
    named,
    numbers_table,
    one_each,
    rows_with_ahead,
)
from loaders.photos import PhotosByReview
from loaders.ratings import RatingsByReview
from loaders.rows import ReviewRow
from loaders.statement import Statement
from loaders.visible import VISIBLE

REVIEW_COLUMNS = tuple(getattr(Review, name) for name in ReviewRow._fields if name != "ahead")
HAS_PHOTOS = Review.photo_count > literal_zero()

_keys = numbers_table("product_ids", "review_ids")


@lru_cache(maxsize=8)  # photos or not, ratings or not
def _by_id(ahead: Aheads) -> Statement:
    besides = Besides(ahead, Review.__table__)
    is_its = (Review.product_id == _keys.c.product_ids) & (Review.review_id == _keys.c.review_ids)
    return Statement(
        named("reviews by id", ahead),
        select(*REVIEW_COLUMNS, *besides.columns)
        .select_from(besides.joined(_keys.join(Review, is_its)))
        .where(VISIBLE),
    )


_by_number = Statement(
    "reviews by number",
    select(*REVIEW_COLUMNS).where(Review.review_id == any_(array_of("review_ids", BigInteger())), VISIBLE),
)


class ReviewsById(BatchLoader[tuple[int, int], ReviewRow | None]):
    """The visible review of a (product number, review number); ``None`` where there is none."""

    tags = staticmethod(tags.by_first)
    row_class = ReviewRow
    may_have_ahead = frozenset({PhotosByReview, RatingsByReview})

    async def batch_load_fn(self, keys: list[tuple[int, int]]) -> list[ReviewRow | None]:
        numbers = {"product_ids": [k[0] for k in keys], "review_ids": [k[1] for k in keys]}
        rows = await _by_id(self.extent.ahead).fetch(self.reads, **numbers)
        return one_each(
            keys, rows_with_ahead(ReviewRow, self.extent.ahead, rows), attrgetter("product_id", "review_id")
        )


class ReviewsByNumber(BatchLoader[int, ReviewRow | None]):
    """The visible review of a plain number, the one look-up that does not know the product."""

    tags = staticmethod(tags.by_number)

    async def batch_load_fn(self, keys: list[int]) -> list[ReviewRow | None]:
        rows = await _by_number.fetch(self.reads, review_ids=keys)
        return one_each(keys, (ReviewRow(*row) for row in rows), attrgetter("review_id"))
