"""A product's reviews, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache

import strawberry

from graphql_api.errors import BadUserInputError
from graphql_api.schema import cursors
from graphql_api.schema.loaded import Each, loaded
from graphql_api.schema.page_info import PageInfo, page_info_of, window_of
from graphql_api.schema.rating_summary import RatingCount, rating_counts
from graphql_api.schema.review import Review
from graphql_api.schema.texts import searched
from loaders.batch import ROWS, Kind, Load
from loaders.page import Page
from loaders.products import FiguresByProduct
from loaders.review_counts import ReviewCountsOfSearch
from loaders.review_pages import ReviewPages
from loaders.review_selection import SORTS, Position, ReviewPageKey, ReviewSelection, position_of
from loaders.review_selection import ReviewFilter as Filter
from loaders.rows import FiguresRow, ReviewRow, as_row

DEFAULT_PAGE = 5
_TYPES: dict[str, type] = {"relevance": float, "created_at": datetime}


@strawberry.enum(description="The orders of reviews. Reviews that are equal in one follow by number, descending.")
class ReviewSort(Enum):
    """Every order has an index of its own."""

    RELEVANT = strawberry.enum_value(
        "RELEVANT",
        description="Recent and helpful first: each doubling of (1 + helpful votes) is worth 90 days of recency.",
    )
    NEWEST = strawberry.enum_value("NEWEST", description="Latest first.")
    HELPFUL = strawberry.enum_value("HELPFUL", description="Most helpful votes first, then latest.")
    HIGHEST_RATED = strawberry.enum_value("HIGHEST_RATED", description="Most stars first, then latest.")
    LOWEST_RATED = strawberry.enum_value("LOWEST_RATED", description="Fewest stars first, then latest.")


@strawberry.input(description="Which reviews to show. All that is given must hold; null or absent does not narrow.")
class ReviewFilter:
    """Combines freely with every sort, and with cursors taken under another filter."""

    ratings: list[int] | None = strawberry.field(
        default=None, description="Any of these numbers of stars, 1 to 5; an empty list does not narrow."
    )
    recommended: bool | None = strawberry.field(
        default=None, description="Only reviews that recommend the product, or only those that do not."
    )
    with_photos: bool | None = strawberry.field(
        default=None, description="Only reviews with photos, or only those without."
    )
    search: str | None = strawberry.field(
        default=None,
        description=(
            "Only reviews whose summary or body holds every word of this text, the last one as the beginning of a"
            " word; capitals do not matter. At least three characters."
        ),
    )


@strawberry.type(description="A review and its place in the list.")
class ReviewEdge:
    """The cursor names the sort it belongs to."""

    row: strawberry.Private[ReviewRow]
    sort: strawberry.Private[str]

    @strawberry.field(description="Give it as `after` or `before` to start a page here.")
    def cursor(self) -> str:
        return _cursor(self.row, self.sort)

    @strawberry.field(description="The review.")
    def node(self) -> Review:
        return Review(row=self.row)


@strawberry.type(description="A page of a product's reviews, and how many there are.")
class ReviewConnection:
    """What is asked for is loaded: a total needs no page and a page no total."""

    selection: strawberry.Private[ReviewSelection]
    key: strawberry.Private[ReviewPageKey]

    def page(self) -> Load:
        """The page, loaded once for all the fields that show it."""
        return as_row(Load, (as_row(Kind, (ReviewPages, self.selection, ROWS)), self.key))

    def found(self) -> Load:
        """What says how many reviews match: kept figures, and with a search a count."""
        searched = self.selection.filter.search is not None
        kind = Kind(ReviewCountsOfSearch, self.selection.filter) if searched else Kind(FiguresByProduct)
        return Load(kind, self.key.product_id)

    def by_rating(self, found: FiguresRow | list[int]) -> list[int]:
        """How many reviews of 1 to 5 stars match the filter, its own stars left out."""
        wanted = self.selection.filter
        if isinstance(found, FiguresRow):
            return found.by_rating(recommended=wanted.recommended, with_photos=wanted.with_photos)
        return found

    @loaded(page, of=ReviewPages, description="The reviews of this page with their cursors.")
    def edges(self, page: Page[ReviewRow]) -> list[ReviewEdge]:
        return [ReviewEdge(row=row, sort=self.selection.sort) for row in page.rows]

    @loaded(page, of=ReviewPages, each=Each.PAGE, description="The reviews of this page.")
    def nodes(self, page: Page[ReviewRow]) -> list[Review]:
        return [Review(row=row) for row in page.rows]

    @loaded(page, of=ReviewPages, beyond=True, description="Where this page lies.")
    def page_info(self, page: Page[ReviewRow]) -> PageInfo:
        return page_info_of(page, lambda row: _cursor(row, self.selection.sort))

    @loaded(
        found,
        hint=FiguresByProduct,
        description="How many reviews the filter matches; worked out only when asked for.",
    )
    def total_count(self, found: FiguresRow | list[int]) -> int:
        ratings = self.selection.filter.ratings
        counts = self.by_rating(found)
        return sum(count for stars, count in enumerate(counts, 1) if ratings is None or stars in ratings)

    @loaded(
        found,
        hint=FiguresByProduct,
        description="Five counts: how many reviews each number of stars would show, the filter's other parts applied.",
        objects=5,
    )
    def rating_counts(self, found: FiguresRow | list[int]) -> list[RatingCount]:
        return rating_counts(self.by_rating(found))


def review_connection(
    product_id: int,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    sort: ReviewSort | None,
    wanted: ReviewFilter | None,
) -> ReviewConnection:
    """The connection that the arguments ask for. Raises ``BadUserInputError`` for any that cannot be."""
    if wanted is None and after is None and before is None:
        return ReviewConnection(
            selection=_start(first, last, sort), key=as_row(ReviewPageKey, (product_id, None, None))
        )
    order = (sort or ReviewSort.RELEVANT).name
    window = window_of(first, last, before, default=DEFAULT_PAGE)
    selection = ReviewSelection(
        sort=order,
        filter=_filter(wanted),
        window=window,
        has_after=after is not None,
        has_before=before is not None,
    )
    key = ReviewPageKey(
        product_id=product_id,
        after=_position(after, "after", order, product_id),
        before=_position(before, "before", order, product_id),
    )
    return ReviewConnection(selection=selection, key=key)


@lru_cache(maxsize=1024)  # five sorts and their default by 100 page sizes, and as many from the end
def _start(first: int | None, last: int | None, sort: ReviewSort | None) -> ReviewSelection:
    """The selection of a page without cursor and filter."""
    window = window_of(first, last, None, default=DEFAULT_PAGE)
    return ReviewSelection((sort or ReviewSort.RELEVANT).name, Filter(), window, has_after=False, has_before=False)


def _filter(wanted: ReviewFilter | None) -> Filter:
    if wanted is None:
        return Filter()
    ratings: Sequence[int] = wanted.ratings or ()
    for stars in ratings:
        if not 1 <= stars <= 5:  # noqa: PLR2004 - the scale of a rating
            raise BadUserInputError(f"`filter.ratings` holds {stars}: stars go from 1 to 5.")
    return Filter(
        ratings=tuple(sorted(set(ratings))) or None,
        recommended=wanted.recommended,
        with_photos=wanted.with_photos,
        search=searched(wanted.search),
    )


def _cursor(row: ReviewRow, sort: str) -> str:
    return cursors.encode(f"reviews:{sort}", row.product_id, position_of(row, sort))


def _position(cursor: str | None, argument: str, sort: str, product_id: int) -> Position | None:
    if cursor is None:
        return None
    types = (*(_TYPES.get(key.attribute, int) for key in SORTS[sort]), int)
    return cursors.decode(cursor, argument, f"reviews:{sort}", product_id, types)
