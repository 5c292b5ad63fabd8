"""What the checker knows: for each quantity, which changes were acknowledged and which have begun.

A read must show every change that was acknowledged, at the edge that it asks, before it was sent, and none that had
not begun when its answer came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg

_REVIEWS = """
SELECT product_id, count(*) AS visible, (array_agg(review_id ORDER BY created_at, review_id))[1] AS voted
FROM reviews WHERE NOT reported GROUP BY product_id HAVING count(*) > 0 ORDER BY product_id LIMIT $1
"""
_CHARACTERISTICS = """
SELECT product_id, array_agg(characteristic_id) FROM characteristics WHERE product_id = any($1::bigint[]) GROUP BY 1
"""
_VOTES = "SELECT review_id, helpfulness FROM reviews WHERE review_id = any($1::bigint[])"


class Seen(NamedTuple):
    """What was acknowledged of a quantity at one moment: how far up and how far down it must be."""

    up: int
    down: int


@dataclass
class Quantity:
    """A number that writes raise and lower. ``acknowledged`` has an entry for each edge."""

    base: int
    edges: int
    begun_up: int = 0
    begun_down: int = 0
    up: list[int] = field(init=False)
    down: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.up, self.down = [0] * self.edges, [0] * self.edges

    def seen(self, edge: int) -> Seen:
        """What a read that is sent to ``edge`` now must show."""
        return Seen(self.up[edge], self.down[edge])

    def is_stale(self, value: int, seen: Seen) -> bool:
        """Whether ``value`` lacks something that was acknowledged when the read was sent."""
        return value < self.base + seen.up - self.begun_down or value > self.base + self.begun_up - seen.down

    def is_possible(self, value: int) -> bool:
        """Whether ``value`` has been true at any time."""
        return self.base - self.begun_down <= value <= self.base + self.begun_up


@dataclass
class Shown:
    """A product: how many reviews it shows, the votes of its oldest, and the numbers of its characteristics."""

    number: int
    voted: int
    characteristics: list[int]
    count: Quantity
    votes: Quantity


@dataclass
class World:
    """The products, most asked for first, and the reviews that the checker has added."""

    products: list[Shown]
    edges: int
    by_number: dict[int, Shown] = field(init=False)
    added: list[set[int]] = field(init=False)
    """For each edge, the numbers of the reviews whose addition it acknowledged."""
    newest: int = 1_000_000_000
    reportable: list[tuple[Shown, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_number = {product.number: product for product in self.products}
        self.added = [set() for _ in range(self.edges)]

    @classmethod
    async def of(cls, url: str, *, most: int, edges: int) -> World:
        """The world as the database of ``url`` is now, ``most`` products of it."""
        connection = await asyncpg.connect(url)
        try:
            reviews = await connection.fetch(_REVIEWS, most)
            votes = dict(await connection.fetch(_VOTES, [row["voted"] for row in reviews]))
            kinds = dict(await connection.fetch(_CHARACTERISTICS, [row["product_id"] for row in reviews]))
            newest = await connection.fetchval("SELECT last_value FROM review_numbers")
        finally:
            await connection.close()
        products = [
            Shown(
                row["product_id"],
                row["voted"],
                kinds.get(row["product_id"], []),
                Quantity(row["visible"], edges),
                Quantity(votes[row["voted"]], edges),
            )
            for row in reviews
        ]
        return cls(products, edges, newest=newest)
