"""What rows of one folder say of each other: parents that are there, numbers that are new.

Parents are those of this folder: it is the whole export, so a parent that only the database has was taken out of the
shop, or belongs to another catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etl.numbers import REJECTED, Numbers, Seen
from etl.values import MOST_DIGITS, BadValueError, content

Row = tuple[object, ...]
_DUPLICATE = "was in the file before"
_MASK_BITS = 63


class Links:
    """The numbers of the files read so far. Files are read in the order of the methods.

    Memory by count: products 8 bytes, characteristics 16, reviews 16, photos and ratings 1; see ``Numbers``.
    """

    def __init__(self, *, products_known: bool) -> None:
        self._products_known = products_known
        self._products = Numbers()  # 1 + how many characteristics it has
        self._characteristics = Numbers()  # its product
        self._ranks = Numbers()  # 1 + its place among the product's characteristics
        self._reviews = Numbers()  # its product
        self._rated = Numbers()  # one bit for each rank that the review has rated
        self._rated_far: set[tuple[int, int]] = set()
        self._photos = Seen()
        self._ratings = Seen()

    def of(self, table: str) -> Callable[[list[Any]], Row]:
        """What turns the values read from a record of ``table`` into its row, or raises ``BadValueError``."""
        return {
            "products": self._product,
            "characteristics": self._characteristic,
            "reviews": self._review,
            "photos": self._photo,
            "ratings": self._rating,
        }[table]

    def reject(self, table: str, token: str) -> None:
        """Remember that the row whose number is ``token`` was rejected, for the reasons of its children."""
        known = {"products": self._products, "characteristics": self._characteristics, "reviews": self._reviews}
        plain = content(token).strip()
        if table in known and plain.isdecimal() and plain.isascii() and len(plain) <= MOST_DIGITS:
            number = int(plain)
            if number and not known[table].get(number):
                known[table].put(number, REJECTED)

    def _product(self, values: list[Any]) -> Row:
        number = values[0]
        if self._products.get(number) > 0:
            raise BadValueError(_DUPLICATE, column="id")
        self._products.put(number, 1)
        return tuple(values)

    def _characteristic(self, values: list[Any]) -> Row:
        product, number, _ = values
        if self._characteristics.get(number) > 0:
            raise BadValueError(_DUPLICATE, column="id")
        before = self._check_product(product)
        self._products.put(product, before + 1)
        self._characteristics.put(number, product)
        self._ranks.put(number, before)
        return tuple(values)

    def _review(self, values: list[Any]) -> Row:
        product, number = values[0], values[1]
        if self._reviews.get(number) > 0:
            raise BadValueError(_DUPLICATE, column="id")
        if self._check_product(product) and not self._products_known:
            self._products.put(product, max(self._products.get(product), 1))
        self._reviews.put(number, product)
        return tuple(values)

    def _check_product(self, product: int) -> int:
        known = self._products.get(product)
        if known > 0:
            return known
        if not self._products_known:
            return 1
        raise _orphan("product", product, known)

    def _photo(self, values: list[Any]) -> Row:
        review, number, url = values
        if number in self._photos:
            raise BadValueError(_DUPLICATE, column="id")
        product = self._reviews.get(review)
        if product <= 0:
            raise _orphan("review", review, product)
        self._photos.add(number)
        return product, review, number, url

    def _rating(self, values: list[Any]) -> Row:
        review, characteristic, number, value = values
        if number in self._ratings:
            raise BadValueError(_DUPLICATE, column="id")
        product = self._reviews.get(review)
        if product <= 0:
            raise _orphan("review", review, product)
        home = self._characteristics.get(characteristic)
        if home != product:
            if home <= 0:
                raise _orphan("characteristic", characteristic, home)
            raise BadValueError(
                f"characteristic {characteristic} belongs to product {home}, and review {review} to product {product}",
                "belongs to another product than the review",
                "characteristic_id",
            )
        self._mark(review, characteristic)
        self._ratings.add(number)
        return product, review, characteristic, number, value

    def _mark(self, review: int, characteristic: int) -> None:
        rank = self._ranks.get(characteristic)
        if rank < _MASK_BITS:
            rated = self._rated.get(review)
            bit = 1 << rank
            if not rated & bit:
                self._rated.put(review, rated | bit)
                return
        elif (review, characteristic) not in self._rated_far:
            self._rated_far.add((review, characteristic))
            return
        raise BadValueError(
            f"review {review} has rated characteristic {characteristic} before",
            "was rated by this review before",
            "characteristic_id",
        )


def _orphan(parent: str, number: int, known: int) -> BadValueError:
    if known == REJECTED:
        return BadValueError(f"{parent} {number} was rejected", f"names a {parent} that was rejected", f"{parent}_id")
    return BadValueError(f"there is no {parent} {number}", f"names no {parent} there is", f"{parent}_id")
