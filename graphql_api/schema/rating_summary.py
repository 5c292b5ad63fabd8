"""The figures of a product's reviews."""

from __future__ import annotations

import strawberry

from graphql_api.schema.column import of_row
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

    average: float | None = of_row(
        lambda row: mean(row.by_rating()), description="The mean number of stars; null without reviews."
    )
    count: int = of_row(lambda row: sum(row.counts), description="How many reviews the product has.")
    histogram: list[RatingCount] = of_row(
        lambda row: rating_counts(row.by_rating()),
        description="Always five bars, from 1 star to 5.",
        metadata=bringing(5),
    )
    recommended_count: int = of_row(
        lambda row: sum(row.by_rating(recommended=True)), description="How many reviewers recommend the product."
    )
    recommended_ratio: float | None = of_row(
        lambda row: _share(sum(row.by_rating(recommended=True)), sum(row.counts)),
        description="The share of reviewers who recommend the product, 0 to 1; null without reviews.",
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def mean(counts: list[int]) -> float | None:
    """The mean of the values 1 to 5 that occur ``counts`` times; ``None`` if none does."""
    one, two, three, four, five = counts
    total = one + two + three + four + five
    return (one + 2 * two + 3 * three + 4 * four + 5 * five) / total if total else None
