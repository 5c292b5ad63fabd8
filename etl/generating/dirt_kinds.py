"""What a kind of dirt is: how it spoils a row, and what a loader must make of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from etl.generating.dirt_files import DirtyFile


class Effect(Enum):
    """What dirt does to a row that would otherwise be loaded."""

    CLEANED = auto()
    """It is loaded all the same."""
    REFUSED = auto()
    """A value cannot be read."""
    BROKEN = auto()
    """The lines are no record."""
    MISPLACED = auto()
    """What it says of other rows is not so."""
    COPIED = auto()
    """It is loaded, and followed by a row that has a number which was in the file before."""


@dataclass
class Row:
    """A row to be spoilt, and what of other rows it takes to spoil it."""

    file: DirtyFile
    fields: dict[str, str]
    random: Random
    missing_number: int
    """A number that no row has."""
    rated_before: int = 0
    """A characteristic that its review has rated before, or 0."""
    foreign: tuple[int, int] = (0, 0)
    """A characteristic of another product, with that product."""
    product: int = 0
    blank_line: str | None = None
    """A line to be written before it."""
    tokens: list[str] = field(default_factory=list)
    """The fields as they are written, where they are to be broken."""

    def pick(self, *choices: str) -> str:
        """One of ``choices``."""
        return choices[int(self.random.random() * len(choices))]


Spoil = Callable[[Row], str | None]
"""Changes the row; the answer is the reason for which it must be rejected, "" if for none, or None where the dirt
does not fit the row, which is then as it was."""


@dataclass(frozen=True)
class Kind:
    """One kind of dirt in one column; ``column`` is empty where it is the record's."""

    name: str
    effect: Effect
    column: str
    spoil: Spoil
