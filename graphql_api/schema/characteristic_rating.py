"""What a review says of one characteristic."""

from __future__ import annotations

import strawberry

from graphql_api.schema.characteristic import LABELS, Characteristic
from graphql_api.schema.column import column
from graphql_api.schema.types import Info
from loaders.rows import CharacteristicRow, RatingRow


@strawberry.type(description="What a review says of one characteristic of its product.")
class CharacteristicRating:
    """The characteristic comes with all those of its product, which a page has loaded once."""

    row: strawberry.Private[RatingRow]

    async def load_characteristic(self, info: Info) -> CharacteristicRow:
        """The characteristic's row. A foreign key holds that it is there."""
        rows = await info.context.loaders.characteristics.load(self.row.product_id)
        return next(row for row in rows if row.characteristic_id == self.row.characteristic_id)

    @strawberry.field(description="The characteristic that is rated.")
    async def characteristic(self, info: Info) -> Characteristic:
        return Characteristic(row=await self.load_characteristic(info))

    value: int = column(description="The value chosen, 1 to 5.")

    @strawberry.field(description="What the value means, in words.")
    async def label(self, info: Info) -> str:
        return LABELS[(await self.load_characteristic(info)).kind][self.row.value - 1]
