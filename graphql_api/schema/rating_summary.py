"""The figures of a product's reviews."""

from __future__ import annotations

import strawberry

from graphql_api.schema.objects import bringing
from loaders.rows import FiguresRow


@strawberry.type(description="How many reviews gave a number of stars.")
class RatingCount:
    """One bar of a histogram."""

    rating: int = strawberry.field(description="The number of stars, 1 to 5.")
    count: int = strawberry.field(description="How many reviews gave it.")


def rating_counts(counts: list[int]) -> list[RatingCount]:
    """The five bars of ``counts``, 1 star first."""
    return [RatingCount(rating=stars, count=count) for stars, count in enumerate(counts, 1)]


@strawberry.type(description="The figures of a product's visible reviews, kept with every write.")
class RatingSummary:
    """Made of the kept figures alone: no review is read for it."""

    row: strawberry.Private[FiguresRow]

    @strawberry.field(description="The mean number of stars; null without reviews.")
    def average(self) -> float | None:
        return mean(self.row.by_rating())

    @strawberry.field(description="How many reviews the product has.")
    def count(self) -> int:
        return sum(self.row.counts)

    @strawberry.field(description="Always five bars, from 1 star to 5.", metadata=bringing(5))
    def histogram(self) -> list[RatingCount]:
        return rating_counts(self.row.by_rating())

    @strawberry.field(description="How many reviewers recommend the product.")
    def recommended_count(self) -> int:
        return sum(self.row.by_rating(recommended=True))

    @strawberry.field(description="The share of reviewers who recommend the product, 0 to 1; null without reviews.")
    def recommended_ratio(self) -> float | None:
        count = sum(self.row.counts)
        return sum(self.row.by_rating(recommended=True)) / count if count else None


def mean(counts: list[int]) -> float | None:
    """The mean of the values 1 to 5 that occur ``counts`` times; ``None`` if none does."""
    one, two, three, four, five = counts
    total = one + two + three + four + five
    return (one + 2 * two + 3 * three + 4 * four + 5 * five) / total if total else None
