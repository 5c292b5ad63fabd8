"""Products and their figures, by plain number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Text, any_, cast, select
from sqlalchemy.sql.selectable import FromClause

from graphql_api.db.models import Product, ProductFigures
from loaders import tags
from loaders.batch import Aheads, BatchLoader, Besides, array_of, named, one_each, rows_with_ahead
from loaders.characteristics import CharacteristicsByProduct
from loaders.rows import FiguresRow, ProductRow, as_row
from loaders.statement import Statement

_NAMES = [name for name in ProductRow._fields if name != "ahead"]
# A price is only shown: to make a Decimal of it and a text of that took 2 us, of 100 cards a twentieth of their time.
_price = cast(Product.default_price, Text).label("default_price")
PRODUCT_COLUMNS = tuple(_price if name == "default_price" else getattr(Product, name) for name in _NAMES)

_figures = Statement(
    "figures by product",
    select(*(getattr(ProductFigures, name) for name in FiguresRow._fields)).where(
        ProductFigures.product_id == any_(array_of("product_ids", BigInteger()))
    ),
)


class FiguresByProduct(BatchLoader[int, FiguresRow]):
    """The kept figures of a product; zeros where there is no such product."""

    tags = staticmethod(tags.by_product)
    noun = "figures"
    width = 2

    async def batch_load_fn(self, keys: list[int]) -> list[FiguresRow]:
        rows = await _figures.fetch(self.reads, product_ids=keys)
        found = one_each(keys, (FiguresRow(*row) for row in rows), attrgetter("product_id"))
        return [row or FiguresRow(key, [0] * 20, 0) for key, row in zip(keys, found, strict=True)]

    @classmethod
    def beside(cls, row: FromClause) -> FromClause:
        """The columns of the figures."""
        figures = select(ProductFigures.counts, ProductFigures.photo_count)
        return figures.where(ProductFigures.product_id == row.c.product_id).lateral("figures")

    @classmethod
    def of_beside(cls, row: Sequence[Any], record: Sequence[Any], at: int) -> FiguresRow:
        """The figures of the product that starts the row."""
        counts = record[at]
        return as_row(FiguresRow, (row[0], [0] * 20, 0) if counts is None else (row[0], counts, record[at + 1]))


@lru_cache(maxsize=1024)  # few aheads, and what front ends ask of a page of reviews that comes with them
def _products(ahead: Aheads) -> Statement:
    besides = Besides(ahead, Product.__table__)
    return Statement(
        named("products by id", ahead),
        select(*PRODUCT_COLUMNS, *besides.columns)
        .select_from(besides.joined(Product.__table__))
        .where(Product.product_id == any_(array_of("product_ids", BigInteger()))),
    )


class ProductsById(BatchLoader[int, ProductRow | None]):
    """The product of a number; ``None`` where there is none."""

    tags = staticmethod(tags.by_product)
    row_class = ProductRow
    may_have_ahead = frozenset({FiguresByProduct, CharacteristicsByProduct})

    async def batch_load_fn(self, keys: list[int]) -> list[ProductRow | None]:
        ahead = self.extent.ahead
        rows = await _products(ahead).fetch(self.reads, product_ids=keys)
        return one_each(keys, rows_with_ahead(ProductRow, ahead, rows), attrgetter("product_id"))
