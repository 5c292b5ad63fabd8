"""Single reviews: by product and number, and by plain number alone. Reported ones are never returned."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import BigInteger, Integer, any_, cast, literal, select

from graphql_api.db.models import Review
from loaders import tags
from loaders.batch import BatchLoader, array_of, numbers_table, one_each
from loaders.rows import ReviewRow
from loaders.statement import Statement

REVIEW_COLUMNS = tuple(getattr(Review, name) for name in ReviewRow._fields if name != "ahead")
# The 0 is written into the statement: a partial index fits only a condition that is known when it is planned.
HAS_PHOTOS = Review.photo_count > literal(0, literal_execute=True)
# A number, so that a review that is looked up by its key never comes by the index of a sort. Those hold what is NOT
# reported, begin with the product, and PostgreSQL would read all of a product's entries to find one review there.
VISIBLE = cast(Review.reported, Integer) == literal(0, literal_execute=True)

_keys = numbers_table("product_ids", "review_ids")
_by_id = Statement(
    "reviews by id",
    select(*REVIEW_COLUMNS)
    .join_from(_keys, Review, (Review.product_id == _keys.c.product_ids) & (Review.review_id == _keys.c.review_ids))
    .where(VISIBLE),
)
_by_number = Statement(
    "reviews by number",
    select(*REVIEW_COLUMNS).where(Review.review_id == any_(array_of("review_ids", BigInteger())), VISIBLE),
)


class ReviewsById(BatchLoader[tuple[int, int], ReviewRow | None]):
    """The visible review of a (product number, review number); ``None`` where there is none."""

    tags = staticmethod(tags.by_first)

    async def batch_load_fn(self, keys: list[tuple[int, int]]) -> list[ReviewRow | None]:
        rows = await _by_id.fetch(self.reads, product_ids=[k[0] for k in keys], review_ids=[k[1] for k in keys])
        return one_each(keys, (ReviewRow(*row) for row in rows), attrgetter("product_id", "review_id"))


class ReviewsByNumber(BatchLoader[int, ReviewRow | None]):
    """The visible review of a plain number, the one look-up that does not know the product."""

    tags = staticmethod(tags.by_number)

    async def batch_load_fn(self, keys: list[int]) -> list[ReviewRow | None]:
        rows = await _by_number.fetch(self.reads, review_ids=keys)
        return one_each(keys, (ReviewRow(*row) for row in rows), attrgetter("review_id"))
