"""A shopper's review."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.errors import GoneError
from graphql_api.schema.characteristic_rating import CharacteristicRating
from graphql_api.schema.column import column
from graphql_api.schema.loaded import Each, OfRow, loaded
from graphql_api.schema.node import Node
from graphql_api.schema.photo import Photo
from loaders.photos import PhotosByReview
from loaders.products import ProductsById
from loaders.ratings import RatingsByReview
from loaders.rows import PhotoRow, ProductRow, RatingRow, ReviewRow

if TYPE_CHECKING:
    from graphql_api.schema.product import Product


@strawberry.type(description="What a shopper says of a product. Reported reviews are hidden everywhere.")
class Review(Node):
    """Made of its row."""

    row: strawberry.Private[ReviewRow]

    review_id: strawberry.ID = column(description="The plain number of the review.")

    @loaded(OfRow(ProductsById, "product_id"), description="The product that is reviewed.")
    def product(self, row: ProductRow | None) -> Annotated[Product, strawberry.lazy("graphql_api.schema.product")]:
        from graphql_api.schema.product import Product  # noqa: PLC0415 - a product shows reviews, and a review its product

        if row is None:
            raise GoneError("product")
        return Product(row=row)

    rating: int = column(description="The number of stars, 1 to 5.")
    summary: str = column(description="The review in one line; may be empty.")
    body: str = column(description="The review itself.")
    recommended: bool = column(description="Whether the reviewer recommends the product.")
    reviewer_name: str = column(description="The name the reviewer chose to show.")
    created_at: datetime = column(description="When the review was written.")
    response: str | None = column(description="The merchant's answer, if there is one.")
    helpfulness: int = column(description="How many shoppers found the review helpful.")

    @loaded(
        OfRow(PhotosByReview, "product_id", "review_id"),
        each=Each.VALUE,
        description="The reviewer's photos.",
        objects=5,
    )
    def photos(self, rows: list[PhotoRow]) -> list[Photo]:
        return [Photo(row=row) for row in rows]

    @loaded(
        OfRow(RatingsByReview, "product_id", "review_id"),
        each=Each.VALUE,
        description="What the reviewer says of each characteristic of the product.",
        objects=10,
    )
    def characteristic_ratings(self, rows: list[RatingRow]) -> list[CharacteristicRating]:
        return [CharacteristicRating(row=row) for row in rows]
