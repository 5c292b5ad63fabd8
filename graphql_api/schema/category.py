"""A category of the catalogue."""

from __future__ import annotations

import strawberry

from graphql_api.schema.column import column
from loaders.rows import CategoryRow


@strawberry.type(description="A category that products are listed under.")
class Category:
    """Made of its kept figures."""

    row: strawberry.Private[CategoryRow]

    name: str = column(description="What the category is called.", attribute="category")
    product_count: int = column(description="How many products it has.")
