"""Rows that others name: products, characteristics and reviews, and what of them the others need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from etl.columns import Mask
from etl.numbers import REJECTED, Column, Counts, Integers, Numbers
from etl.rules import DUPLICATE, Row, orphan, unique
from etl.values import BadValueError

RANKS = 8
"""How many characteristics of a product are told apart by their ranks; the shop knows six kinds. All beyond have the
last rank, ``RANKS``."""


class _Known:
    """Rows that others name: the slot of each number, from 1, in the order they came."""

    def __init__(self, expected: int) -> None:
        self.slots = Numbers(expected=expected)
        self.length = 0

    def add_many(self, numbers: Integers) -> None:
        self.slots.put_many(numbers, np.arange(self.length + 1, self.length + 1 + len(numbers)))
        self.length += len(numbers)

    def check_new(self, number: int) -> None:
        if self.slots.get(number) > 0:
            raise BadValueError(DUPLICATE, column="id")

    def reject(self, number: int) -> None:
        if number and not self.slots.get(number):
            self.slots.put(number, REJECTED)


class Products(_Known):
    """Products by their number."""

    def __init__(self, expected: int, *, known: bool) -> None:
        super().__init__(expected)
        self.numbers = Column(np.int64, expected)
        self.known = known
        """Whether there is a file of products; without one each product that is named is there."""

    def add_many(self, numbers: Integers) -> None:
        super().add_many(numbers)
        self.numbers.extend(numbers)

    def link(self, values: list[Any]) -> Row:
        self.check_new(values[0])
        self.add_many(np.array([values[0]], np.int64))
        return tuple(values)

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        return (taken & (self.slots.get_many(values[0]) <= 0), None) if unique(values[0]) else None

    def keep(self, values: Sequence[Any]) -> None:
        self.add_many(values[0])

    def slot(self, number: int) -> int:
        """The slot of the product, which is made where there is no file of products."""
        slot = self.slots.get(number)
        if slot > 0:
            return slot
        if self.known:
            raise orphan("product", number, slot)
        self.add_many(np.array([number], np.int64))
        return self.length

    def there(self, numbers: Integers) -> Any:
        """Which of them are there, or would be made."""
        return self.slots.get_many(numbers) > 0 if self.known else True

    def slots_of(self, numbers: Integers) -> Integers:
        """The slot of each, made where there is no file of products."""
        slots = self.slots.get_many(numbers)
        if not self.known and not slots.all():
            self.add_many(np.unique(numbers[slots == 0]))
            slots = self.slots.get_many(numbers)
        return slots


class _OfProducts(_Known):
    """Rows that name their product first and then their own number; ``homes`` by slot: the slot of the product."""

    def __init__(self, products: Products, expected: int) -> None:
        super().__init__(expected)
        self.products = products
        self.homes = Column(expected=expected)

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        products, numbers = values[0], values[1]
        if not unique(numbers):
            return None
        return taken & (self.slots.get_many(numbers) <= 0) & self.products.there(products), None

    def products_of(self, slots: Integers) -> Integers:
        """The number of the product of each; of what is no slot, anything."""
        return self.products.numbers.at(self.homes.at(slots))

    def _add(self, values: list[Any]) -> Integers:
        """Remember one row, and give the slot of its product; raises ``BadValueError``."""
        self.check_new(values[1])
        homes = np.array([self.products.slot(values[0])], np.int64)
        self._place(np.array([values[1]], np.int64), homes)
        return homes

    def _add_many(self, values: Sequence[Any]) -> Integers:
        """Remember the rows, and give the slots of their products."""
        homes = self.products.slots_of(values[0])
        self._place(values[1], homes)
        return homes

    def _place(self, numbers: Integers, homes: Integers) -> None:
        self.add_many(numbers)
        self.homes.extend(homes)


class Characteristics(_OfProducts):
    """Characteristics by their number; ``ranks`` by slot: the place among those of the product."""

    def __init__(self, products: Products, expected: int) -> None:
        super().__init__(products, expected)
        self._counts = Numbers(np.int8)  # by the product's slot
        self.ranks = Column(np.int8, expected)

    def link(self, values: list[Any]) -> Row:
        self._rank(self._add(values))
        return tuple(values)

    def keep(self, values: Sequence[Any]) -> None:
        self._rank(self._add_many(values))

    def _rank(self, homes: Integers) -> None:
        """Append the ranks of characteristics of these products: each gets the next free one in its own."""
        order = np.argsort(homes, kind="stable")
        ordered = homes[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        sizes = np.diff(starts, append=len(ordered))
        ranks = np.empty(len(homes), np.int64)
        ranks[order] = np.arange(len(homes)) - np.repeat(starts, sizes)
        before = self._counts.get_many(homes)
        self._counts.put_many(ordered[starts], np.minimum(before[order][starts] + sizes, RANKS))
        self.ranks.extend(np.minimum(before + ranks, RANKS))


class Reviews(_OfProducts):
    """Reviews by their number; by slot: the cell of its figures, or -1 where it is reported."""

    def __init__(self, products: Products, expected: int) -> None:
        super().__init__(products, expected)
        self.cells = Column(np.int8, expected)
        """Stars less 1, times 2, plus 1 where the product is recommended."""
        self.rated = Column(np.uint8, expected)
        """A bit for each rank among the product's characteristics that the review has rated."""
        self.photos = Counts(expected)
        """How many photos the review at each slot has."""

    def link(self, values: list[Any]) -> Row:
        self._add(values)
        self._note(*([value] for value in (values[2], values[6], values[7])))
        return tuple(values)

    def keep(self, values: Sequence[Any]) -> None:
        self._add_many(values)
        self._note(values[2], values[6], values[7])

    def _note(self, stars: Any, recommended: Any, reported: Any) -> None:
        cells = (np.asarray(stars) - 1) * 2 + np.asarray(recommended)
        self.cells.extend(np.where(np.asarray(reported, np.bool_), -1, cells))
        self.rated.extend(np.zeros(len(cells), np.uint8))

    def slot(self, number: int) -> int:
        """The slot of a review that must be there."""
        slot = self.slots.get(number)
        if slot <= 0:
            raise orphan("review", number, slot)
        return slot
