"""The catalogue, page by page."""

from __future__ import annotations

import strawberry

from graphql_api.schema import cursors
from graphql_api.schema.loaded import Each, loaded
from graphql_api.schema.page_info import PageInfo, page_info_of, window_of
from graphql_api.schema.product import Product
from graphql_api.schema.texts import searched, storable
from loaders.batch import Kind, Load
from loaders.catalog import CatalogCounts, CatalogFilter, CatalogPageKey, CatalogPages
from loaders.page import Page
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
    """What is asked for is loaded: a total needs no page and a page no total."""

    key: strawberry.Private[CatalogPageKey]

    def page(self) -> Load:
        """The page, loaded once for all the fields that show it. A slow search holds up none but those like it."""
        return Load(Kind(CatalogPages, self.key.wanted), self.key)

    def count(self) -> Load:
        """How many products match."""
        return Load(Kind(CatalogCounts, self.key.wanted), self.key.wanted)

    @loaded(page, of=CatalogPages, description="The products of this page with their cursors.")
    def edges(self, page: Page[ProductRow]) -> list[ProductEdge]:
        return [ProductEdge(row=row) for row in page.rows]

    @loaded(page, of=CatalogPages, each=Each.PAGE, description="The products of this page.")
    def nodes(self, page: Page[ProductRow]) -> list[Product]:
        return [Product(row=row) for row in page.rows]

    @loaded(page, of=CatalogPages, beyond=True, description="Where this page lies.")
    def page_info(self, page: Page[ProductRow]) -> PageInfo:
        return page_info_of(page, _cursor)

    @loaded(count, of=CatalogCounts, description="How many products match; worked out only when asked for.")
    def total_count(self, count: int) -> int:
        return count


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
        key=CatalogPageKey(
            wanted=CatalogFilter(category=category, search=searched(search)),
            window=window_of(first, last, before, default=DEFAULT_PAGE),
            after=_position(after, "after"),
            before=_position(before, "before"),
        )
    )


def _cursor(row: ProductRow) -> str:
    return cursors.encode("catalog", 0, (row.product_id,))


def _position(cursor: str | None, argument: str) -> int | None:
    if cursor is None:
        return None
    (product_id,) = cursors.decode(cursor, argument, "catalog", 0, (int,))
    assert isinstance(product_id, int)
    return product_id
