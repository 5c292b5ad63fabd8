"""What a review says of one characteristic."""

from __future__ import annotations

import strawberry

from graphql_api.schema.characteristic import LABELS, Characteristic
from graphql_api.schema.column import column
from graphql_api.schema.loaded import Choice, OfRow, loaded
from loaders.characteristics import CharacteristicsByProduct
from loaders.rows import CharacteristicRow, RatingRow

_OF_PRODUCT = OfRow(CharacteristicsByProduct, "product_id")
_LABEL = Choice(LABELS, by="kind", number="value")


@strawberry.type(description="What a review says of one characteristic of its product.")
class CharacteristicRating:
    """The characteristic comes with all those of its product, which a page has loaded once."""

    row: strawberry.Private[RatingRow]

    @loaded(_OF_PRODUCT, find="characteristic_id", of_found=True, description="The characteristic that is rated.")
    def characteristic(self, row: CharacteristicRow) -> Characteristic:
        return Characteristic(row=row)

    value: int = column(description="The value chosen, 1 to 5.")

    @loaded(_OF_PRODUCT, find="characteristic_id", choice=_LABEL, description="What the value means, in words.")
    def label(self, row: CharacteristicRow) -> str:
        return _LABEL.of(row, self.row)
