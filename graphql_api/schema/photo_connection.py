"""The photos of a product's reviews, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import strawberry

from graphql_api.schema import cursors
from graphql_api.schema.loaded import Each, loaded
from graphql_api.schema.page_info import PageInfo, page_info_of, window_of
from graphql_api.schema.photo import Photo
from loaders.batch import Kind, Load
from loaders.page import Page
from loaders.photo_pages import PhotoPageKey, PhotoPages, PhotoPosition, PhotoSelection
from loaders.products import FiguresByProduct
from loaders.rows import FiguresRow, PhotoRow

DEFAULT_PAGE = 20


@strawberry.type(description="A photo and its place in the list.")
class PhotoEdge:
    """Made of the photo's row."""

    row: strawberry.Private[PhotoRow]

    @strawberry.field(description="Give it as `after` or `before` to start a page here.")
    def cursor(self) -> str:
        return _cursor(self.row)

    @strawberry.field(description="The photo.")
    def node(self) -> Photo:
        return Photo(row=self.row)


@strawberry.type(description="A page of the photos that shoppers added to a product's reviews.")
class PhotoConnection:
    """Newest review first; within a review, the photos by number."""

    selection: strawberry.Private[PhotoSelection]
    key: strawberry.Private[PhotoPageKey]

    def page(self) -> Load:
        """The page, loaded once for all the fields that show it."""
        return Load(Kind(PhotoPages, self.selection), self.key)

    def figures(self) -> Load:
        """The kept figures of the product."""
        return Load(Kind(FiguresByProduct), self.key.product_id)

    @loaded(page, of=PhotoPages, description="The photos of this page with their cursors.")
    def edges(self, page: Page[PhotoRow]) -> list[PhotoEdge]:
        return [PhotoEdge(row=row) for row in page.rows]

    @loaded(page, of=PhotoPages, each=Each.PAGE, description="The photos of this page.")
    def nodes(self, page: Page[PhotoRow]) -> list[Photo]:
        return [Photo(row=row) for row in page.rows]

    @loaded(page, of=PhotoPages, beyond=True, description="Where this page lies.")
    def page_info(self, page: Page[PhotoRow]) -> PageInfo:
        return page_info_of(page, _cursor)

    @loaded(figures, hint=FiguresByProduct, description="How many photos the product's visible reviews have.")
    def total_count(self, figures: FiguresRow) -> int:
        return figures.photo_count


def photo_connection(
    product_id: int, first: int | None, after: str | None, last: int | None, before: str | None
) -> PhotoConnection:
    """The connection that the arguments ask for. Raises ``BadUserInputError`` for any that cannot be."""
    return PhotoConnection(
        selection=PhotoSelection(
            window=window_of(first, last, before, default=DEFAULT_PAGE),
            has_after=after is not None,
            has_before=before is not None,
        ),
        key=PhotoPageKey(
            product_id=product_id,
            after=_position(after, "after", product_id),
            before=_position(before, "before", product_id),
        ),
    )


def _cursor(row: PhotoRow) -> str:
    return cursors.encode("photos", row.product_id, (row.created_at, row.review_id, row.photo_id))


def _position(cursor: str | None, argument: str, product_id: int) -> PhotoPosition | None:
    if cursor is None:
        return None
    return cast("PhotoPosition", cursors.decode(cursor, argument, "photos", product_id, (datetime, int, int)))
