"""Things by their ids: from the text of an id to what loads it, and to the object, or ``None``."""

from __future__ import annotations

from collections.abc import Sequence

from graphql_api.errors import BadUserInputError
from graphql_api.schema import identity
from graphql_api.schema.characteristic import Characteristic
from graphql_api.schema.node import Node
from graphql_api.schema.photo import Photo
from graphql_api.schema.product import Product
from graphql_api.schema.review import Review
from loaders.batch import Kind, Load
from loaders.characteristics import CharacteristicsByProduct
from loaders.photos import PhotosById
from loaders.products import ProductsById
from loaders.reviews import ReviewsById, ReviewsByNumber
from loaders.rows import PhotoRow, ProductRow, ReviewRow

MAX_LOOKUPS = 100
_PRODUCTS, _CHARACTERISTICS, _PHOTOS = Kind(ProductsById), Kind(CharacteristicsByProduct), Kind(PhotosById)
_REVIEWS, _REVIEWS_BY_NUMBER = Kind(ReviewsById), Kind(ReviewsByNumber)


def at_most(limit: int, ids: Sequence[str]) -> Sequence[str]:
    """``ids``. Raises ``BadUserInputError`` for more than ``limit``."""
    if len(ids) > limit:
        raise BadUserInputError(f"`ids` holds {len(ids)} ids: at most {limit} are looked up at a time.")
    return ids


def product_of(any_id: str) -> Load | None:
    """What brings the product of a global id or plain number."""
    numbers = identity.numbers_of("Product", any_id)
    return None if numbers is None else Load(_PRODUCTS, numbers[0])


def review_of(any_id: str) -> Load | None:
    """What brings the visible review of a global id or plain number."""
    numbers = identity.numbers_of("Review", any_id)
    if numbers is None:
        return None
    return Load(_REVIEWS_BY_NUMBER, numbers[0]) if len(numbers) == 1 else Load(_REVIEWS, numbers)


def node_of(global_id: str) -> Load | None:
    """What brings the row, or the rows among which it is, of what a global id names."""
    match identity.decode(global_id):
        case "Product", (product_id,):
            return Load(_PRODUCTS, product_id)
        case "Review", numbers:
            return Load(_REVIEWS, numbers)
        case "Photo", numbers:
            return Load(_PHOTOS, numbers)
        case "Characteristic", (product_id, _):
            return Load(_CHARACTERISTICS, product_id)
    return None


def node_among(global_id: str, found: object) -> Node | None:
    """The node of a global id, of what ``node_of`` brought."""
    match found:
        case ProductRow():
            return Product(row=found)
        case ReviewRow():
            return Review(row=found)
        case PhotoRow():
            return Photo(row=found)
        case list():
            decoded = identity.decode(global_id)
            assert decoded is not None
            return next((Characteristic(row=row) for row in found if row.characteristic_id == decoded[1][-1]), None)
    return None
