"""The catalogue, page by page."""

from __future__ import annotations

import asyncio

import strawberry

from graphql_api.schema import cursors
from graphql_api.schema.page_info import PageInfo, page_info_of, window_of
from graphql_api.schema.product import Product
from graphql_api.schema.texts import searched, storable
from graphql_api.schema.types import Info
from loaders.catalog import CatalogFilter, catalog_count, catalog_page
from loaders.page import Page, Window
from loaders.rows import ProductRow

DEFAULT_PAGE = 20


@strawberry.type(description="A product and its place in the list.")
class ProductEdge:
    """Made of the product's row."""

    row: strawberry.Private[ProductRow]

    @strawberry.field(description="Give it as `after` or `before` to start a page here.")
    def cursor(self) -> str:
        return _cursor(self.row)

    @strawberry.field(description="The product.")
    def node(self) -> Product:
        return Product(row=self.row)


@strawberry.type(description="A page of the catalogue, by product number.")
class ProductConnection:
    """A list of the whole shop, so it batches with nothing: a field of it is one statement for the page."""

    wanted: strawberry.Private[CatalogFilter]
    window: strawberry.Private[Window]
    after: strawberry.Private[int | None]
    before: strawberry.Private[int | None]
    loading: strawberry.Private[asyncio.Task[Page[ProductRow]] | None] = None

    async def page(self, info: Info) -> Page[ProductRow]:
        """The page, loaded once for all the fields that show it."""
        if self.loading is None:
            self.loading = asyncio.ensure_future(
                catalog_page(info.context.database.reads, self.wanted, self.window, self.after, self.before)
            )
        return await self.loading

    @strawberry.field(description="The products of this page with their cursors.")
    async def edges(self, info: Info) -> list[ProductEdge]:
        return [ProductEdge(row=row) for row in (await self.page(info)).rows]

    @strawberry.field(description="The products of this page.")
    async def nodes(self, info: Info) -> list[Product]:
        return [Product(row=row) for row in (await self.page(info)).rows]

    @strawberry.field(description="Where this page lies.")
    async def page_info(self, info: Info) -> PageInfo:
        return page_info_of(await self.page(info), _cursor)

    @strawberry.field(description="How many products match; worked out only when asked for.")
    async def total_count(self, info: Info) -> int:
        return await catalog_count(info.context.database.reads, self.wanted)


def product_connection(
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    category: str | None,
    search: str | None,
) -> ProductConnection:
    """The connection that the arguments ask for. Raises ``BadUserInputError`` for any that cannot be."""
    if category is not None and not storable(category):
        category = ""  # no category has such a name, nor an empty one
    return ProductConnection(
        wanted=CatalogFilter(category=category, search=searched(search)),
        window=window_of(first, last, before, default=DEFAULT_PAGE),
        after=_position(after, "after"),
        before=_position(before, "before"),
    )


def _cursor(row: ProductRow) -> str:
    return cursors.encode("catalog", 0, (row.product_id,))


def _position(cursor: str | None, argument: str) -> int | None:
    if cursor is None:
        return None
    (product_id,) = cursors.decode(cursor, argument, "catalog", 0, (int,))
    assert isinstance(product_id, int)
    return product_id
