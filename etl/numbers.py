"""What is remembered of the numbers in a folder, so that children find their parents and nothing is loaded twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

REJECTED = -1
_AHEAD = 1_000_000


class Numbers:
    """A value for each number: 0 where none was put, ``REJECTED`` where only a rejected row had the number.

    One array, as numbers are dense in every export seen: 23 MB for 5.8 million reviews at four bytes each. A number
    that lies more than a million beyond twice the highest before it costs about 100 bytes, in a dictionary.
    """

    __slots__ = ("_far", "_near")

    def __init__(self, kind: type[np.signedinteger[Any]] = np.int32) -> None:
        self._near = np.zeros(1024, kind)
        self._far: dict[int, int] = {}

    def get(self, number: int) -> int:
        """The value of ``number``."""
        if number < len(self._near):
            return int(self._near[number])
        return self._far.get(number, 0)

    def put(self, number: int, value: int) -> None:
        """Set the value of ``number``, which is not negative."""
        if self._reach(number):
            self._near[number] = value
        else:
            self._far[number] = value

    def get_many(self, numbers: Integers) -> Integers:
        """The value of each of ``numbers``; that of a negative one is 0."""
        inside = (numbers >= 0) & (numbers < len(self._near))
        if inside.all():
            return self._near[numbers].astype(np.int64)
        values = np.zeros(len(numbers), np.int64)
        values[inside] = self._near[numbers[inside]]
        if self._far:
            for place in np.flatnonzero(numbers >= len(self._near)):
                values[place] = self._far.get(int(numbers[place]), 0)
        return values

    def put_many(self, numbers: Integers, values: Integers | int) -> None:
        """Set the values of ``numbers``, none of which is negative."""
        if not len(numbers):
            return
        if self._reach(int(numbers.max())):
            self._near[numbers] = values
            return
        for number, value in zip(numbers.tolist(), np.broadcast_to(values, len(numbers)).tolist(), strict=True):
            self.put(number, value)

    def add_many(self, numbers: Integers) -> None:
        """Add 1 to the value of each of ``numbers``, as often as it comes."""
        found, counts = np.unique(numbers, return_counts=True)
        self.put_many(found, self.get_many(found) + counts)

    def _reach(self, number: int) -> bool:
        """Let the array reach ``number`` if that is not too far."""
        length = len(self._near)
        if number < length:
            return True
        if number > 2 * length + _AHEAD:
            return False
        grown = np.zeros(max(number + 1, length + length // 4), self._near.dtype)
        grown[:length] = self._near
        self._near = grown
        for far in [far for far in self._far if far < len(grown)]:
            grown[far] = self._far.pop(far)
        return True


class Column:
    """A list of integers that grows: one value a slot, slots from 0."""

    __slots__ = ("_values", "length")

    def __init__(self, kind: type[np.signedinteger[Any]] = np.int32) -> None:
        self._values = np.zeros(1024, kind)
        self.length = 0

    def extend(self, values: npt.ArrayLike) -> None:
        """Append ``values``."""
        more = np.asarray(values)
        needed = self.length + len(more)
        if needed > len(self._values):
            grown = np.zeros(max(needed, len(self._values) * 5 // 4), self._values.dtype)
            grown[: self.length] = self._values[: self.length]
            self._values = grown
        self._values[self.length : needed] = more
        self.length = needed

    def at(self, slots: Integers) -> npt.NDArray[Any]:
        """The value of each of ``slots``, which count from 1 here; of what is no slot, anything."""
        if not self.length:
            return np.zeros(len(slots), self._values.dtype)
        found: npt.NDArray[Any] = self._values[np.maximum(slots, 1) - 1]
        return found

    @property
    def values(self) -> npt.NDArray[Any]:
        """All values. Writing to them changes the column, until it grows."""
        return self._values[: self.length]
