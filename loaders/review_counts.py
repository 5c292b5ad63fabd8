"""How many reviews a search finds, by stars. Counts without a search are kept figures and need no statement."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sqlalchemy import and_, func, select

from graphql_api.db.models import Review
from loaders.batch import BatchLoader, numbers_table
from loaders.review_pages import ReviewFilter, matching
from loaders.statement import Statement


@lru_cache(maxsize=16)  # recommended (3) by with photos (3)
def _statement(wanted: ReviewFilter) -> Statement:
    keys = numbers_table("product_id")
    return Statement(
        "review counts of a search",
        select(keys.c.place, Review.rating, func.count())
        .select_from(keys)
        .join(Review, and_(*matching(wanted, keys.c.product_id)))
        .group_by(keys.c.place, Review.rating),
    )


class ReviewCountsOfSearch(BatchLoader[int, list[int]]):
    """By product number: how many reviews of 1 to 5 stars the filter finds, its own stars left out."""

    async def batch_load_fn(self, keys: list[int]) -> list[list[int]]:
        wanted: ReviewFilter = self.selection
        statement = _statement(replace(wanted, ratings=None, search=""))
        counts = [[0] * 5 for _ in keys]
        for place, rating, count in await statement.fetch(self.reads, product_id=keys, search=wanted.search):
            counts[place - 1][rating - 1] = count
        return counts
