"""What can be asked for: the table of contents."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from graphql_api.schema.category import Category
from graphql_api.schema.lookup import MAX_LOOKUPS, at_most, find_node, find_product, find_review
from graphql_api.schema.node import Node
from graphql_api.schema.page_info import After, Before, First, Last
from graphql_api.schema.product import Product
from graphql_api.schema.product_connection import ProductConnection, product_connection
from graphql_api.schema.review import Review
from graphql_api.schema.types import Info
from loaders.catalog import categories

GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
GlobalIds = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")]
AnyId = Annotated[strawberry.ID, strawberry.argument(description="The global id or the plain number.")]
AnyIds = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids or plain numbers, at most 100.")]


@strawberry.type(description="What can be asked for.")
class Query:
    """The root of every query."""

    @strawberry.field(description="Anything that has a global id; null when unknown or hidden.")
    async def node(self, info: Info, id: GlobalId) -> Node | None:  # noqa: A002 - the contract's name
        return await find_node(info.context.loaders, id)

    @strawberry.field(description="Things by their global ids, in the order asked; null where unknown or hidden.")
    async def nodes(self, info: Info, ids: GlobalIds) -> list[Node | None]:
        at_most(MAX_LOOKUPS, ids)
        return list(await asyncio.gather(*(find_node(info.context.loaders, id_) for id_ in ids)))

    @strawberry.field(description="A product; null when unknown.")
    async def product(self, info: Info, id: AnyId) -> Product | None:  # noqa: A002 - the contract's name
        return await find_product(info.context.loaders, id)

    @strawberry.field(description="Products by their ids, in the order asked; null where unknown.")
    async def products(self, info: Info, ids: AnyIds) -> list[Product | None]:
        at_most(MAX_LOOKUPS, ids)
        return list(await asyncio.gather(*(find_product(info.context.loaders, id_) for id_ in ids)))

    @strawberry.field(description="The catalogue by product number, 20 a page unless asked otherwise.")
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

    @strawberry.field(description="The categories, by name.")
    async def categories(self, info: Info) -> list[Category]:
        return [Category(row=row) for row in await categories(info.context.database.reads)]

    @strawberry.field(description="A review; null when unknown or reported.")
    async def review(self, info: Info, id: AnyId) -> Review | None:  # noqa: A002 - the contract's name
        return await find_review(info.context.loaders, id)
