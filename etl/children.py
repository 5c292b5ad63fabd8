"""Rows that nobody names: photos and ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.columns import Mask
from etl.numbers import Counts, Integers, Seen
from etl.parents import RANKS, Characteristics, Reviews
from etl.rules import DUPLICATE, Row, orphan, unique
from etl.values import BadValueError

STARS = 5


class Photos:
    """Photos by their number."""

    def __init__(self, reviews: Reviews, expected: int) -> None:
        self._reviews = reviews
        self._seen = Seen(expected)

    def link(self, values: list[Any]) -> Row:
        review, number, url = values
        if self._seen.has(number):
            raise BadValueError(DUPLICATE, column="id")
        slot = self._reviews.slot(review)
        self._seen.add(number)
        self._reviews.photos.add_many(np.array([slot]))
        return int(self._reviews.products_of(np.array([slot]))[0]), review, number, url

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        reviews, numbers = values[0], values[1]
        if not unique(numbers):
            return None
        slots = self._reviews.slots.get_many(reviews)
        return taken & (slots > 0) & ~self._seen.have(numbers), self._reviews.products_of(slots)

    def keep(self, values: Sequence[Any]) -> None:
        self._seen.add_many(values[1])
        self._reviews.photos.add_many(self._reviews.slots.get_many(values[0]))

    def reject(self, number: int) -> None:
        """Nothing: nobody names a photo."""


class Ratings:
    """Ratings by their number, and what they add up to."""

    def __init__(
        self, reviews: Reviews, characteristics: Characteristics, expected: int, expected_characteristics: int
    ) -> None:
        self._reviews = reviews
        self._characteristics = characteristics
        self._seen = Seen(expected)
        self._far: set[tuple[int, int]] = set()
        """(review, characteristic) of characteristics beyond the bits of ``Reviews.rated``."""
        self._counts = Counts(expected_characteristics * STARS)

    def link(self, values: list[Any]) -> Row:
        review, characteristic, number, value = values
        if self._seen.has(number):
            raise BadValueError(DUPLICATE, column="id")
        slot = self._reviews.slot(review)
        product = int(self._reviews.products_of(np.array([slot]))[0])
        place = self._characteristics.slots.get(characteristic)
        if place <= 0:
            raise orphan("characteristic", characteristic, place)
        home = self._characteristics.homes.values[place - 1]
        if home != self._reviews.homes.values[slot - 1]:
            owner = int(self._reviews.products.numbers.values[home - 1])
            raise BadValueError(
                f"characteristic {characteristic} belongs to product {owner}, and review {review} to product {product}",
                "belongs to another product than the review",
                "characteristic_id",
            )
        self._mark(review, slot, characteristic, int(self._characteristics.ranks.values[place - 1]))
        self._seen.add(number)
        self._count(np.array([slot]), np.array([place]), np.array([value]))
        return product, review, characteristic, number, value

    def _mark(self, review: int, slot: int, characteristic: int, rank: int) -> None:
        if rank < RANKS:
            rated, bit = self._reviews.rated.values, 1 << rank
            if not int(rated[slot - 1]) & bit:
                rated[slot - 1] |= bit
                return
        elif (review, characteristic) not in self._far:
            self._far.add((review, characteristic))
            return
        raise BadValueError(
            f"review {review} has rated characteristic {characteristic} before",
            "was rated by this review before",
            "characteristic_id",
        )

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        reviews, characteristics, numbers = values[:3]
        if not unique(numbers):
            return None
        slots, places, ranks = self._slots(reviews, characteristics)
        there = (slots > 0) & (places > 0)
        right = self._characteristics.homes.at(places) == self._reviews.homes.at(slots)
        if not unique(np.where(there, slots * (RANKS + 1) + np.minimum(ranks, RANKS), 0)):
            return None
        before = self._reviews.rated.at(slots) >> np.minimum(ranks, RANKS) & 1
        new = ~self._seen.have(numbers) & (before == 0) & (ranks < RANKS)
        return taken & there & right & new, self._reviews.products_of(slots)

    def keep(self, values: Sequence[Any]) -> None:
        slots, places, ranks = self._slots(values[0], values[1])
        np.bitwise_or.at(self._reviews.rated.values, slots - 1, np.left_shift(1, ranks).astype(np.uint8))
        self._seen.add_many(values[2])
        self._count(slots, places, values[3])

    def _slots(self, reviews: Integers, characteristics: Integers) -> tuple[Integers, Integers, npt.NDArray[Any]]:
        slots, places = self._reviews.slots.get_many(reviews), self._characteristics.slots.get_many(characteristics)
        return slots, places, self._characteristics.ranks.at(places).astype(np.int64)

    def _count(self, slots: Integers, places: Integers, values: Any) -> None:
        visible = self._reviews.cells.at(slots) >= 0
        self._counts.add_many(((places - 1) * STARS + values - 1)[visible])

    def counts_of(self, places: Integers) -> npt.NDArray[np.int64]:
        """Of the characteristic at each of these slots, five numbers: how many visible reviews chose 1 to 5."""
        cells = (places[:, np.newaxis] - 1) * STARS + np.arange(STARS)
        return self._counts.get_many(cells.reshape(-1)).reshape(-1, STARS)

    def reject(self, number: int) -> None:
        """Nothing: nobody names a rating."""
