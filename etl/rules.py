"""What is asked of the rows of every table, and the two ways of asking: one row, or a block of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from etl.columns import Mask
from etl.numbers import REJECTED, Integers
from etl.values import MOST_DIGITS, BadValueError, content

Row = tuple[object, ...]
DUPLICATE = "was in the file before"


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


def orphan(parent: str, number: int, known: int) -> BadValueError:
    """What is said of a row whose parent is not there; ``known`` is what is remembered of the parent's number."""
    if known == REJECTED:
        return BadValueError(f"{parent} {number} was rejected", f"names a {parent} that was rejected", f"{parent}_id")
    return BadValueError(f"there is no {parent} {number}", f"names no {parent} there is", f"{parent}_id")
