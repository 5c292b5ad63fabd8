"""Rows for a test of its own, written by hand as an operator would: the triggers keep the figures."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

# Far above the sample catalogue and far below the gateway's first number; every test has products of its own.
_products = itertools.count(100_000)
_numbers = itertools.count(500_000)
START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class OwnProduct:
    """A product and the numbers of its characteristics by kind."""

    number: int
    characteristics: dict[str, int]


class Shop:
    """Writes to the database of ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url

    def product(self, *kinds: str, name: str = "A product", category: str | None = None) -> OwnProduct:
        """A new product with characteristics of these kinds."""
        product = OwnProduct(next(_products), {kind: next(_numbers) for kind in kinds})

        async def write(connection: asyncpg.Connection) -> None:
            await connection.execute(
                "INSERT INTO products (product_id, name, category) VALUES ($1, $2, $3)", product.number, name, category
            )
            await connection.executemany(
                "INSERT INTO characteristics (product_id, characteristic_id, kind) VALUES ($1, $2, $3)",
                [(product.number, number, kind) for kind, number in product.characteristics.items()],
            )

        self._with_connection(write)
        return product

    def review(self, product: OwnProduct, **columns: Any) -> int:
        """A new review of ``product``; what is not given is plain. Its number."""
        return self.reviews(product, [columns])[0]

    def reviews(self, product: OwnProduct, many: Sequence[dict[str, Any]]) -> list[int]:
        """New reviews; ``photos`` counts theirs, ``values`` are their ratings by kind. Their numbers, ascending."""
        made = [next(_numbers) for _ in many]

        async def write(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                for number, columns in zip(made, many, strict=True):
                    await _write_review(connection, product, number, dict(columns))

        self._with_connection(write)
        return made

    def _with_connection(self, write: Any) -> None:
        async def connected() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                await write(connection)
            finally:
                await connection.close()

        asyncio.run(connected())


async def _write_review(
    connection: asyncpg.Connection, product: OwnProduct, number: int, columns: dict[str, Any]
) -> None:
    photos = columns.pop("photos", 0)
    values = columns.pop("values", {})
    review = {
        "product_id": product.number,
        "review_id": number,
        "rating": 3,
        "created_at": START + timedelta(seconds=number),
        "summary": "Plain",
        "body": "Nothing to say of it.",
        "recommended": True,
        "reviewer_name": "someone",
        "reviewer_email": "someone@example.com",
        **columns,
    }
    names = ", ".join(review)
    places = ", ".join(f"${place}" for place in range(1, len(review) + 1))
    await connection.execute(f"INSERT INTO reviews ({names}) VALUES ({places})", *review.values())
    for _ in range(photos):
        photo = next(_numbers)
        await connection.execute(
            "INSERT INTO photos VALUES ($1, $2, $3, $4)",
            product.number,
            number,
            photo,
            f"https://photos.example/{photo}.jpg",
        )
    for kind, value in values.items():
        await connection.execute(
            "INSERT INTO ratings VALUES ($1, $2, $3, $4, $5)",
            product.number,
            number,
            product.characteristics[kind],
            next(_numbers),
            value,
        )
