"""A product of the shop."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import strawberry

from graphql_api.schema.characteristic import Characteristic
from graphql_api.schema.column import column
from graphql_api.schema.loaded import Each, OfRow, by_number, loaded
from graphql_api.schema.node import Node
from graphql_api.schema.page_info import After, Before, First, Last
from graphql_api.schema.photo_connection import PhotoConnection, photo_connection
from graphql_api.schema.rating_summary import RatingSummary
from graphql_api.schema.review_connection import ReviewConnection, ReviewFilter, ReviewSort, review_connection
from loaders.characteristics import CharacteristicsByProduct
from loaders.products import FiguresByProduct
from loaders.rows import CharacteristicRow, FiguresRow, ProductRow


@strawberry.type(description="Something that the shop sells.")
class Product(Node):
    """Made of its row."""

    row: strawberry.Private[ProductRow]

    product_id: strawberry.ID = column(description="The plain number of the product.")
    name: str = column(description="What the product is called.")
    slogan: str | None = column(description="The product in one line.")
    description: str | None = column(description="What the shop says of the product.")
    category: str | None = column(description="The category the product is listed under.")
    default_price: Decimal | None = column(description="The price without any offer, in the shop's currency.")

    @loaded(OfRow(FiguresByProduct, "product_id"), each=Each.ONE, description="The figures of its reviews.")
    def rating_summary(self, figures: FiguresRow) -> RatingSummary:
        return RatingSummary(row=figures)

    @loaded(
        OfRow(CharacteristicsByProduct, "product_id"),
        each=Each.VALUE,
        description="What its reviews rate beside the stars.",
        objects=10,
    )
    def characteristics(self, rows: list[CharacteristicRow]) -> list[Characteristic]:
        return [Characteristic(row=row) for row in rows]

    @by_number(description="Its reviews, five a page unless asked otherwise.", objects=5)
    def reviews(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        sort: Annotated[
            ReviewSort | None, strawberry.argument(description="The order of the reviews.")
        ] = ReviewSort.RELEVANT,
        filter: Annotated[  # noqa: A002 - the contract's name
            ReviewFilter | None, strawberry.argument(description="Which reviews to show; all without it.")
        ] = None,
    ) -> ReviewConnection:
        return review_connection(self.row.product_id, first, after, last, before, sort, filter)

    @by_number(description="Shoppers' photos of it, 20 a page unless asked otherwise.", objects=20)
    def review_photos(
        self, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> PhotoConnection:
        return photo_connection(self.row.product_id, first, after, last, before)
