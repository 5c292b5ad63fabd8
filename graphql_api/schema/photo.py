"""A shopper's photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.errors import GoneError
from graphql_api.schema.column import column
from graphql_api.schema.loaded import OfRow, loaded
from graphql_api.schema.node import Node
from loaders.reviews import ReviewsById
from loaders.rows import PhotoRow, ReviewRow

if TYPE_CHECKING:
    from graphql_api.schema.review import Review


@strawberry.type(description="A photo that a shopper added to a review.")
class Photo(Node):
    """Made of its row."""

    row: strawberry.Private[PhotoRow]

    photo_id: strawberry.ID = column(description="The plain number of the photo.")
    url: str = column(description="Where the picture is.")

    @loaded(OfRow(ReviewsById, "product_id", "review_id"), description="The review that the photo belongs to.")
    def review(self, row: ReviewRow | None) -> Annotated[Review, strawberry.lazy("graphql_api.schema.review")]:
        from graphql_api.schema.review import Review  # noqa: PLC0415 - a review shows photos, and a photo its review

        if row is None:
            raise GoneError("review")
        return Review(row=row)
