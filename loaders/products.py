"""Products and their figures, by plain number."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import BigInteger, any_, select

from graphql_api.db.models import Product, ProductFigures
from loaders.batch import BatchLoader, array_of, one_each
from loaders.rows import FiguresRow, ProductRow
from loaders.statement import Statement

_products = Statement(
    "products by id",
    select(*(getattr(Product, name) for name in ProductRow._fields)).where(
        Product.product_id == any_(array_of("product_ids", BigInteger()))
    ),
)
_figures = Statement(
    "figures by product",
    select(*(getattr(ProductFigures, name) for name in FiguresRow._fields)).where(
        ProductFigures.product_id == any_(array_of("product_ids", BigInteger()))
    ),
)


class ProductsById(BatchLoader[int, ProductRow | None]):
    """The product of a number; ``None`` where there is none."""

    async def batch_load_fn(self, keys: list[int]) -> list[ProductRow | None]:
        rows = await _products.fetch(self.reads, product_ids=keys)
        return one_each(keys, (ProductRow(*row) for row in rows), attrgetter("product_id"))


class FiguresByProduct(BatchLoader[int, FiguresRow]):
    """The kept figures of a product; zeros where there is no such product."""

    async def batch_load_fn(self, keys: list[int]) -> list[FiguresRow]:
        rows = await _figures.fetch(self.reads, product_ids=keys)
        found = one_each(keys, (FiguresRow(*row) for row in rows), attrgetter("product_id"))
        return [row or FiguresRow(key, [0] * 20, 0) for key, row in zip(keys, found, strict=True)]
