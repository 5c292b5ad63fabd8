"""The characteristics of a product, with their figures."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import BigInteger, any_, select

from graphql_api.db.models import Characteristic, CharacteristicFigures
from loaders.batch import BatchLoader, array_of, many_each
from loaders.rows import CharacteristicRow
from loaders.statement import Statement

_characteristics = Statement(
    "characteristics by product",
    select(
        Characteristic.product_id, Characteristic.characteristic_id, Characteristic.kind, CharacteristicFigures.counts
    )
    .join_from(
        Characteristic,
        CharacteristicFigures,
        (Characteristic.product_id == CharacteristicFigures.product_id)
        & (Characteristic.characteristic_id == CharacteristicFigures.characteristic_id),
    )
    .where(
        Characteristic.product_id == any_(array_of("product_ids", BigInteger())),
        # Said twice: a distributed database routes each table by its own column.
        CharacteristicFigures.product_id == any_(array_of("product_ids", BigInteger())),
    )
    .order_by(Characteristic.product_id, Characteristic.characteristic_id),
)


class CharacteristicsByProduct(BatchLoader[int, list[CharacteristicRow]]):
    """The characteristics of a product, by id; ``[]`` where there are none."""

    async def batch_load_fn(self, keys: list[int]) -> list[list[CharacteristicRow]]:
        rows = await _characteristics.fetch(self.reads, product_ids=keys)
        return many_each(keys, (CharacteristicRow(*row) for row in rows), attrgetter("product_id"))
