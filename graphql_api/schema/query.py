"""What can be asked for: the table of contents."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphql_api.schema.category import Category
from graphql_api.schema.loaded import Each, loaded
from graphql_api.schema.lookup import MAX_LOOKUPS, at_most, node_among, node_of, product_of, review_of
from graphql_api.schema.node import Node
from graphql_api.schema.objects import bringing
from graphql_api.schema.page_info import After, Before, First, Last
from graphql_api.schema.product import Product
from graphql_api.schema.product_connection import ProductConnection, product_connection
from graphql_api.schema.review import Review
from loaders.batch import Kind, Load
from loaders.catalog import Categories
from loaders.products import ProductsById
from loaders.rows import CategoryRow, ProductRow, ReviewRow

GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
GlobalIds = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")]
AnyId = Annotated[strawberry.ID, strawberry.argument(description="The global id or the plain number.")]
AnyIds = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids or plain numbers, at most 100.")]


@strawberry.type(description="What can be asked for.")
class Query:
    """The root of every query."""

    @loaded(lambda _, id: node_of(id), description="Anything that has a global id; null when unknown or hidden.")  # noqa: A006 - the contract's name
    def node(self, found: object, id: GlobalId) -> Node | None:  # noqa: A002 - the contract's name
        return node_among(id, found)

    @loaded(
        lambda _, ids: [node_of(one) for one in at_most(MAX_LOOKUPS, ids)],
        many=True,
        description="Things by their global ids, in the order asked; null where unknown or hidden.",
        objects=MAX_LOOKUPS,
    )
    def nodes(self, found: list[object], ids: GlobalIds) -> list[Node | None]:
        return [node_among(one, row) for one, row in zip(ids, found, strict=True)]

    @loaded(lambda _, id: product_of(id), of=ProductsById, description="A product; null when unknown.")  # noqa: A006 - the same
    def product(self, row: ProductRow | None, id: AnyId) -> Product | None:  # noqa: A002, ARG002 - the same
        return None if row is None else Product(row=row)

    @loaded(
        lambda _, ids: [product_of(one) for one in at_most(MAX_LOOKUPS, ids)],
        of=ProductsById,
        many=True,
        description="Products by their ids, in the order asked; null where unknown.",
        objects=MAX_LOOKUPS,
    )
    def products(self, rows: list[ProductRow | None], ids: AnyIds) -> list[Product | None]:  # noqa: ARG002 - read above
        return [None if row is None else Product(row=row) for row in rows]

    @strawberry.field(
        description="The catalogue by product number, 20 a page unless asked otherwise.", metadata=bringing(20)
    )
    def catalog(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        category: Annotated[
            str | None, strawberry.argument(description="Only products of the category of exactly this name.")
        ] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description=(
                    "Only products whose name, slogan or description holds every word of this text, the last one as"
                    " the beginning of a word. At least three characters."
                )
            ),
        ] = None,
    ) -> ProductConnection:
        return product_connection(first, after, last, before, category, search)

    @loaded(
        lambda _: Load(Kind(Categories), "all"),
        of=Categories,
        each=Each.VALUE,
        description="The categories, by name.",
        objects=100,
    )
    def categories(self, rows: list[CategoryRow]) -> list[Category]:
        return [Category(row=row) for row in rows]

    @loaded(lambda _, id: review_of(id), description="A review; null when unknown or reported.")  # noqa: A006 - the same
    def review(self, row: ReviewRow | None, id: AnyId) -> Review | None:  # noqa: A002, ARG002 - the same
        return None if row is None else Review(row=row)
