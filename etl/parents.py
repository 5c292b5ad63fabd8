"""Rows that others name: products, characteristics and reviews, and what of them the others need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from etl.columns import Mask
from etl.numbers import REJECTED, Column, Integers, Numbers
from etl.rules import DUPLICATE, Row, orphan, unique
from etl.values import BadValueError


class _Known:
    """Rows that others name: the slot of each number, from 1, in the order they came."""

    def __init__(self) -> None:
        self.slots = Numbers()
        self.numbers = Column(np.int64)

    def add(self, number: int) -> int:
        slot = self.numbers.length + 1
        self.slots.put(number, slot)
        self.numbers.extend([number])
        return slot

    def add_many(self, numbers: Integers) -> None:
        start = self.numbers.length + 1
        self.slots.put_many(numbers, np.arange(start, start + len(numbers)))
        self.numbers.extend(numbers)

    def check_new(self, number: int) -> None:
        if self.slots.get(number) > 0:
            raise BadValueError(DUPLICATE, column="id")

    def reject(self, number: int) -> None:
        if number and not self.slots.get(number):
            self.slots.put(number, REJECTED)


class Products(_Known):
    """Products by their number."""

    def __init__(self, *, known: bool) -> None:
        super().__init__()
        self.known = known
        """Whether there is a file of products; without one each product that is named is there."""

    def link(self, values: list[Any]) -> Row:
        self.check_new(values[0])
        self.add(values[0])
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
        return self.add(number)

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


class Characteristics(_Known):
    """Characteristics by their number; ``homes`` and ``ranks`` by slot: the slot of the product, the place in it."""

    def __init__(self, products: Products) -> None:
        super().__init__()
        self._products = products
        self._counts = Numbers()  # by the product's slot
        self.homes = Column()
        self.ranks = Column()

    def link(self, values: list[Any]) -> Row:
        product, number, _ = values
        self.check_new(number)
        home = self._products.slot(product)
        self.add(number)
        self._place(np.array([home], np.int64))
        return tuple(values)

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        products, numbers = values[0], values[1]
        if not unique(numbers):
            return None
        return taken & (self.slots.get_many(numbers) <= 0) & self._products.there(products), None

    def keep(self, values: Sequence[Any]) -> None:
        self.add_many(values[1])
        self._place(self._products.slots_of(values[0]))

    def _place(self, homes: Integers) -> None:
        """Append what is known of characteristics of these products: each gets the next free rank in its own."""
        order = np.argsort(homes, kind="stable")
        ordered = homes[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        sizes = np.diff(starts, append=len(ordered))
        ranks = np.empty(len(homes), np.int64)
        ranks[order] = np.arange(len(homes)) - np.repeat(starts, sizes)
        before = self._counts.get_many(homes)
        self._counts.put_many(ordered[starts], before[order][starts] + sizes)
        self.homes.extend(homes)
        self.ranks.extend(before + ranks)


class Reviews(_Known):
    """Reviews by their number; by slot: the product's slot, and the cell of its figures or -1 where it is reported."""

    def __init__(self, products: Products) -> None:
        super().__init__()
        self.products = products
        self.homes = Column()
        self.cells = Column(np.int8)
        """Stars less 1, times 2, plus 1 where the product is recommended."""
        self.rated = Column()
        """A bit for each rank among the product's characteristics that the review has rated."""
        self.photos = Column()

    def link(self, values: list[Any]) -> Row:
        product, number = values[0], values[1]
        self.check_new(number)
        home = self.products.slot(product)
        self.add(number)
        self._note(np.array([home]), *([value] for value in (values[2], values[6], values[7])))
        return tuple(values)

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        products, numbers = values[0], values[1]
        if not unique(numbers):
            return None
        return taken & (self.slots.get_many(numbers) <= 0) & self.products.there(products), None

    def keep(self, values: Sequence[Any]) -> None:
        self.add_many(values[1])
        self._note(self.products.slots_of(values[0]), values[2], values[6], values[7])

    def _note(self, homes: Integers, stars: Any, recommended: Any, reported: Any) -> None:
        cells = (np.asarray(stars) - 1) * 2 + np.asarray(recommended)
        self.homes.extend(homes)
        self.cells.extend(np.where(np.asarray(reported, np.bool_), -1, cells))
        nothing = np.zeros(len(homes), np.int8)
        self.rated.extend(nothing)
        self.photos.extend(nothing)

    def products_of(self, slots: Integers) -> Integers:
        """The number of each review's product; of no review's, anything."""
        return self.products.numbers.at(self.homes.at(slots))

    def slot(self, number: int) -> int:
        """The slot of a review that must be there."""
        slot = self.slots.get(number)
        if slot <= 0:
            raise orphan("review", number, slot)
        return slot
