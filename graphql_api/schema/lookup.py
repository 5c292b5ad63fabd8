"""Things by their ids: from the text of an id to the object, or ``None``."""

from __future__ import annotations

from collections.abc import Sequence

from graphql_api.errors import BadUserInputError
from graphql_api.schema import identity
from graphql_api.schema.characteristic import Characteristic
from graphql_api.schema.node import Node
from graphql_api.schema.photo import Photo
from graphql_api.schema.product import Product
from graphql_api.schema.review import Review
from loaders.registry import Loaders

MAX_LOOKUPS = 100


def at_most(limit: int, ids: Sequence[str]) -> None:
    """Raise ``BadUserInputError`` for more than ``limit`` ids."""
    if len(ids) > limit:
        raise BadUserInputError(f"`ids` holds {len(ids)} ids: at most {limit} are looked up at a time.")


async def find_product(loaders: Loaders, any_id: str) -> Product | None:
    """The product of a global id or plain number."""
    numbers = identity.numbers_of("Product", any_id)
    row = None if numbers is None else await loaders.products.load(numbers[0])
    return None if row is None else Product(row=row)


async def find_review(loaders: Loaders, any_id: str) -> Review | None:
    """The visible review of a global id or plain number."""
    numbers = identity.numbers_of("Review", any_id)
    if numbers is None:
        return None
    if len(numbers) == 1:
        row = await loaders.reviews_by_number.load(numbers[0])
    else:
        row = await loaders.reviews.load((numbers[0], numbers[1]))
    return None if row is None else Review(row=row)


async def find_node(loaders: Loaders, global_id: str) -> Node | None:
    """What a global id names."""
    match identity.decode(global_id):
        case "Product", _:
            return await find_product(loaders, global_id)
        case "Review", _:
            return await find_review(loaders, global_id)
        case "Photo", (product_id, review_id, photo_id):
            photo = await loaders.photos.load((product_id, review_id, photo_id))
            return None if photo is None else Photo(row=photo)
        case "Characteristic", (product_id, characteristic_id):
            for row in await loaders.characteristics.load(product_id):
                if row.characteristic_id == characteristic_id:
                    return Characteristic(row=row)
    return None
