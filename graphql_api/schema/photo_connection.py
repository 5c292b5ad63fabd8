"""The photos of a product's reviews, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import strawberry

from graphql_api.schema import cursors
from graphql_api.schema.page_info import PageInfo, page_info_of, window_of
from graphql_api.schema.photo import Photo
from graphql_api.schema.types import Info
from loaders.page import Page
from loaders.photo_pages import PhotoPageKey, PhotoPosition, PhotoSelection
from loaders.rows import PhotoRow

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

    async def page(self, info: Info) -> Page[PhotoRow]:
        """The page, loaded once for all the fields that show it."""
        return await info.context.loaders.photo_pages(self.selection).load(self.key)

    @strawberry.field(description="The photos of this page with their cursors.")
    async def edges(self, info: Info) -> list[PhotoEdge]:
        return [PhotoEdge(row=row) for row in (await self.page(info)).rows]

    @strawberry.field(description="The photos of this page.")
    async def nodes(self, info: Info) -> list[Photo]:
        return [Photo(row=row) for row in (await self.page(info)).rows]

    @strawberry.field(description="Where this page lies.")
    async def page_info(self, info: Info) -> PageInfo:
        return page_info_of(await self.page(info), _cursor)

    @strawberry.field(description="How many photos the product's visible reviews have.")
    async def total_count(self, info: Info) -> int:
        return (await info.context.loaders.figures.load(self.key.product_id)).photo_count


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
