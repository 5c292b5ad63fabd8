"""The characteristics of a product, with their figures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, any_, select
from sqlalchemy.sql.selectable import FromClause

from graphql_api.db.models import Characteristic, CharacteristicFigures
from loaders import tags
from loaders.batch import BatchLoader, array_of, arrays_by, many_each
from loaders.rows import CharacteristicRow, rows_of
from loaders.statement import Statement

_OF_CHARACTERISTIC = (Characteristic.product_id == CharacteristicFigures.product_id) & (
    Characteristic.characteristic_id == CharacteristicFigures.characteristic_id
)
_characteristics = Statement(
    "characteristics by product",
    select(
        Characteristic.product_id, Characteristic.characteristic_id, Characteristic.kind, CharacteristicFigures.counts
    )
    .join_from(Characteristic, CharacteristicFigures, _OF_CHARACTERISTIC)
    .where(
        Characteristic.product_id == any_(array_of("product_ids", BigInteger())),
        # Said twice: a distributed database routes each table by its own column.
        CharacteristicFigures.product_id == any_(array_of("product_ids", BigInteger())),
    )
    .order_by(Characteristic.product_id, Characteristic.characteristic_id),
)


class CharacteristicsByProduct(BatchLoader[int, list[CharacteristicRow]]):
    """The characteristics of a product, by id; ``[]`` where there are none."""

    tags = staticmethod(tags.by_product)
    table = Characteristic.__table__
    noun = "characteristics"
    width = 3

    async def batch_load_fn(self, keys: list[int]) -> list[list[CharacteristicRow]]:
        rows = await _characteristics.fetch(self.reads, product_ids=keys)
        return many_each(keys, (CharacteristicRow(*row) for row in rows), attrgetter("product_id"))

    @classmethod
    def beside(cls, row: FromClause) -> FromClause:
        """An array a column."""
        product_id = row.c.product_id
        number = Characteristic.characteristic_id.expression
        return (
            arrays_by(number, number, Characteristic.kind.expression, CharacteristicFigures.counts.expression)
            .join_from(Characteristic, CharacteristicFigures, _OF_CHARACTERISTIC)
            .where(Characteristic.product_id == product_id, CharacteristicFigures.product_id == product_id)
            .lateral("characteristics_of")
        )

    @classmethod
    def of_beside(cls, row: Sequence[Any], record: Sequence[Any], at: int) -> list[CharacteristicRow]:
        """The characteristics of the product that starts the row."""
        numbers, kinds, counts = record[at : at + 3]
        if numbers is None:
            return []
        return rows_of(CharacteristicRow, repeat(row[0]), numbers, kinds, counts)
