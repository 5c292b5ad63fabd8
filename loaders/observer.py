"""Who is told what loaders do: given to them, and nobody unless it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Batch:
    """One load of a loader. Times are those of ``time.perf_counter``, in seconds; ``ended`` is 0 until it has.

    ``asked`` is when the first of its keys was asked for, ``began`` when no other could join.
    """

    loader: str
    keys: int
    asked: float
    began: float
    ended: float = 0.0


class Asker(Protocol):
    """Whoever loads, and wants to know of it."""

    batches: list[tuple[float, Batch]]
    """Filled with the batches that have keys of it, each with the moment in which it asked for them."""

    settled: float
    """Set to the moment in which all it asked for was there, and used."""


class Observer(Protocol):
    """Is told while requests wait: a call may take a microsecond, and raises nothing."""

    def batch(self, batch: Batch, askers: Iterable[Asker | None]) -> None:
        """A batch has ended, with values or an error, and had keys of ``askers``."""

    def statement(self, loader: str, seconds: float) -> None:
        """A statement has ended, with rows."""
