"""What rows of one folder say of each other: parents that are there, numbers that are new.

Parents are those of this folder: it is the whole export, so a parent that only the database has was taken out of the
shop, or belongs to another catalogue.

Each kind of row is checked twice by the same rule: ``link`` takes one row and says what is wrong with it; ``judge``
takes a block and says which rows are certainly right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from etl.columns import Mask
from etl.numbers import REJECTED, Column, Integers, Numbers
from etl.values import MOST_DIGITS, BadValueError, content

Row = tuple[object, ...]
_DUPLICATE = "was in the file before"
_MASK_BITS = 63
STARS = 5


class Link(Protocol):
    """The rules of one table."""

    def link(self, values: list[Any]) -> Row:
        """The row of ``values``, remembered; raises ``BadValueError``."""

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        """Which of the rows are right, and their products where the file does not name them; nothing is remembered.

        ``values`` are the columns of a block; rows that are not ``taken`` count as the numbers they may have. ``None``
        where rows of the block depend on each other.
        """

    def keep(self, values: Sequence[Any]) -> None:
        """Remember the rows of these columns, all of which ``judge`` found right."""

    def reject(self, number: int) -> None:
        """Remember that a row with this number was rejected, for the reasons of its children."""


def unique(numbers: Integers) -> bool:
    """Whether no two of the positive ones are equal."""
    if (np.diff(numbers) > 0).all():
        return True
    some = numbers[numbers > 0]
    return len(np.unique(some)) == len(some)


def number_in(token: str) -> int:
    """The number that a token holds, or 0."""
    plain = content(token).strip()
    return int(plain) if plain.isdecimal() and plain.isascii() and len(plain) <= MOST_DIGITS else 0


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
            raise BadValueError(_DUPLICATE, column="id")

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
            raise _orphan("product", number, slot)
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
        self.rated = Column(np.int64)
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
            raise _orphan("review", number, slot)
        return slot


class Photos:
    """Photos by their number."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews
        self._seen = Numbers(np.int8)

    def link(self, values: list[Any]) -> Row:
        review, number, url = values
        if self._seen.get(number):
            raise BadValueError(_DUPLICATE, column="id")
        slot = self._reviews.slot(review)
        self._seen.put(number, 1)
        self._reviews.photos.values[slot - 1] += 1
        return int(self._reviews.products_of(np.array([slot]))[0]), review, number, url

    def judge(self, values: Sequence[Any], taken: Mask) -> tuple[Mask, Integers | None] | None:
        reviews, numbers = values[0], values[1]
        if not unique(numbers):
            return None
        slots = self._reviews.slots.get_many(reviews)
        return taken & (slots > 0) & (self._seen.get_many(numbers) == 0), self._reviews.products_of(slots)

    def keep(self, values: Sequence[Any]) -> None:
        self._seen.put_many(values[1], 1)
        np.add.at(self._reviews.photos.values, self._reviews.slots.get_many(values[0]) - 1, 1)

    def reject(self, number: int) -> None:
        """Nothing: nobody names a photo."""


class Ratings:
    """Ratings by their number, and what they add up to."""

    def __init__(self, reviews: Reviews, characteristics: Characteristics) -> None:
        self._reviews = reviews
        self._characteristics = characteristics
        self._seen = Numbers(np.int8)
        self._far: set[tuple[int, int]] = set()
        """(review, characteristic) of characteristics beyond the bits of ``Reviews.rated``."""
        self.counts = np.zeros(0, np.int32)
        """Of each characteristic's slot, five numbers: how many visible reviews chose 1 to 5."""

    def link(self, values: list[Any]) -> Row:
        review, characteristic, number, value = values
        if self._seen.get(number):
            raise BadValueError(_DUPLICATE, column="id")
        slot = self._reviews.slot(review)
        product = int(self._reviews.products_of(np.array([slot]))[0])
        place = self._characteristics.slots.get(characteristic)
        if place <= 0:
            raise _orphan("characteristic", characteristic, place)
        home = self._characteristics.homes.values[place - 1]
        if home != self._reviews.homes.values[slot - 1]:
            owner = int(self._reviews.products.numbers.values[home - 1])
            raise BadValueError(
                f"characteristic {characteristic} belongs to product {owner}, and review {review} to product {product}",
                "belongs to another product than the review",
                "characteristic_id",
            )
        self._mark(review, slot, characteristic, int(self._characteristics.ranks.values[place - 1]))
        self._seen.put(number, 1)
        self._count(np.array([slot]), np.array([place]), np.array([value]))
        return product, review, characteristic, number, value

    def _mark(self, review: int, slot: int, characteristic: int, rank: int) -> None:
        if rank < _MASK_BITS:
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
        if not unique(np.where(there, slots * (_MASK_BITS + 1) + np.minimum(ranks, _MASK_BITS), 0)):
            return None
        before = self._reviews.rated.at(slots) >> np.minimum(ranks, _MASK_BITS) & 1
        new = (self._seen.get_many(numbers) == 0) & (before == 0) & (ranks < _MASK_BITS)
        return taken & there & right & new, self._reviews.products_of(slots)

    def keep(self, values: Sequence[Any]) -> None:
        slots, places, ranks = self._slots(values[0], values[1])
        np.bitwise_or.at(self._reviews.rated.values, slots - 1, np.left_shift(1, ranks))
        self._seen.put_many(values[2], 1)
        self._count(slots, places, values[3])

    def _slots(self, reviews: Integers, characteristics: Integers) -> tuple[Integers, Integers, npt.NDArray[Any]]:
        slots, places = self._reviews.slots.get_many(reviews), self._characteristics.slots.get_many(characteristics)
        return slots, places, self._characteristics.ranks.at(places).astype(np.int64)

    def _count(self, slots: Integers, places: Integers, values: Any) -> None:
        if not len(self.counts):
            self.counts = np.zeros(self._characteristics.numbers.length * STARS, np.int32)
        visible = self._reviews.cells.at(slots) >= 0
        np.add.at(self.counts, ((places - 1) * STARS + values - 1)[visible], 1)

    def reject(self, number: int) -> None:
        """Nothing: nobody names a rating."""


class Links:
    """The numbers of the files read so far. Files are read parents before children."""

    def __init__(self, *, products_known: bool) -> None:
        self.products = Products(known=products_known)
        self.characteristics = Characteristics(self.products)
        self.reviews = Reviews(self.products)
        self.photos = Photos(self.reviews)
        self.ratings = Ratings(self.reviews, self.characteristics)

    def of(self, table: str) -> Link:
        """The rules of ``table``."""
        rules: dict[str, Link] = {
            "products": self.products,
            "characteristics": self.characteristics,
            "reviews": self.reviews,
            "photos": self.photos,
            "ratings": self.ratings,
        }
        return rules[table]


def _orphan(parent: str, number: int, known: int) -> BadValueError:
    if known == REJECTED:
        return BadValueError(f"{parent} {number} was rejected", f"names a {parent} that was rejected", f"{parent}_id")
    return BadValueError(f"there is no {parent} {number}", f"names no {parent} there is", f"{parent}_id")
