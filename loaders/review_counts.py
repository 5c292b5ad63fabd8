"""How many reviews a search finds, by stars. Counts without a search are kept figures and need no statement."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from operator import add

from sqlalchemy import func, not_, select, true, union_all

from graphql_api.db.models import Review
from loaders import tags
from loaders.batch import BatchLoader, literal_size, numbers_table
from loaders.review_selection import ReviewFilter, matching
from loaders.statement import Statement

_FEW = 100
_STARS = range(1, 6)


@lru_cache(maxsize=16)  # recommended (3) by with photos (3)
def _statement(wanted: ReviewFilter) -> Statement:
    keys = numbers_table("product_id")
    # Few reviews are split into words and looked at; of many, 2 s for 100,000, the index of words knows, which holds
    # the product too.
    some = select(Review.review_id).where(Review.product_id == keys.c.product_id, not_(Review.reported))
    some_of = some.limit(literal_size(_FEW + 1)).correlate(keys).subquery("some_of")
    few = select((func.count() <= literal_size(_FEW)).label("are")).select_from(some_of).correlate(keys).lateral("few")
    # Counted where they are found: to hand on 25,000 rows and to sort them by their stars took a quarter of the time.
    counts = [func.count().filter(Review.rating == literal_size(stars)).label(f"of_{stars}") for stars in _STARS]
    by_product = select(*counts).where(*matching(wanted, keys.c.product_id), few.c.are)
    by_words = select(*counts).where(*matching(wanted, keys.c.product_id, by_words=True), not_(few.c.are))
    found = union_all(
        by_product.correlate(keys, few).subquery("by_product").select(),
        by_words.correlate(keys, few).subquery("by_words").select(),
    ).lateral("found")
    return Statement(
        "review counts of a search",
        select(keys.c.place, *found.c).select_from(keys.join(few, true()).join(found, true())),
    )


class ReviewCountsOfSearch(BatchLoader[int, list[int]]):
    """By product number: how many reviews of 1 to 5 stars the filter finds, its own stars left out."""

    tags = staticmethod(tags.by_product)

    async def batch_load_fn(self, keys: list[int]) -> list[list[int]]:
        wanted: ReviewFilter = self.selection
        statement = _statement(replace(wanted, ratings=None, search=""))
        counts = [[0] * 5 for _ in keys]
        # Two rows of each: by one way nothing was looked for.
        for place, *found in await statement.fetch(self.reads, product_id=keys, search=wanted.search):
            counts[place - 1] = list(map(add, counts[place - 1], found))
        return counts
