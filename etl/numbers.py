"""What is remembered of the numbers in a folder, so that children find their parents and nothing is loaded twice."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from graphql_api.errors import OperatorError

Integers = npt.NDArray[np.int64]
Kind = type[np.integer[Any]]

REJECTED = -1
_AHEAD = 1_000_000
_LEAST = 1024
_SLICE = 20_000
_LOW_BITS = 8
_LOW = (1 << _LOW_BITS) - 1


def room(length: int, kind: Kind) -> npt.NDArray[Any]:
    """An array of zeros in memory of its own, given back to the system as soon as nobody has it.

    Not from the heap: between a block's passing values an array that stays leaves holes, 100 MiB of them for 3 million
    rows. Pages that nothing was written to are not resident. Raises ``OperatorError`` where there is no such memory.
    """
    size = length * np.dtype(kind).itemsize
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise OperatorError(
            f"There are no {size >> 20:,} MiB of memory for what must be remembered of the files: nothing was changed."
        ) from error
    return np.frombuffer(memory, kind, length)


def _touch(array: npt.NDArray[Any]) -> None:
    """Let all of ``array``, which holds zeros, be resident: memory that is not there is missed now, not half-way."""
    array[:: mmap.PAGESIZE // array.itemsize] = 0


def _longer(array: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    longer = room(length, array.dtype.type)
    longer[: len(array)] = array
    return longer


class Numbers:
    """A value for each number: 0 where none was put, ``REJECTED`` where only a rejected row had the number.

    One array, as numbers are dense in every export seen: 23 MB for 5.8 million reviews at four bytes each. A number
    that lies more than a million beyond twice the highest before it costs about 100 bytes, in a dictionary.
    """

    __slots__ = ("_far", "_near")

    def __init__(self, kind: Kind = np.int32, expected: int = 0) -> None:
        """Resident for the numbers up to ``expected`` from now on; it grows where there are more."""
        self._near = room(max(expected + 1, _LEAST), kind)
        _touch(self._near)
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

    def add_bits(self, numbers: Integers, bits: npt.NDArray[Any]) -> None:
        """Set ``bits`` in the values of ``numbers``, of which some may come more than once."""
        if not len(numbers):
            return
        if self._reach(int(numbers.max())):
            np.bitwise_or.at(self._near, numbers, bits.astype(self._near.dtype))
            return
        for number, bit in zip(numbers.tolist(), bits.tolist(), strict=True):
            self.put(number, self.get(number) | bit)

    def items(self) -> Iterator[tuple[Integers, Integers]]:
        """(numbers, their values) of the values above 0, a part at a time, by number."""
        for start in range(0, len(self._near), _SLICE):
            values = self._near[start : start + _SLICE]
            places = np.flatnonzero(values > 0)
            if len(places):
                yield places + start, values[places].astype(np.int64)
        far = sorted(number for number, value in self._far.items() if value > 0)
        if far:
            yield np.array(far, np.int64), np.array([self._far[number] for number in far], np.int64)

    def _reach(self, number: int) -> bool:
        """Let the array reach ``number`` if that is not too far."""
        length = len(self._near)
        if number < length:
            return True
        if number > 2 * length + _AHEAD:
            return False
        self._near = _longer(self._near, max(number + 1, length + length // 4))
        for far in [far for far in self._far if far < len(self._near)]:
            self._near[far] = self._far.pop(far)
        return True


class Seen:
    """Numbers that were there, a bit for each: 2.4 MB for 19.3 million ratings."""

    __slots__ = ("_bits",)

    def __init__(self, expected: int = 0) -> None:
        self._bits = Numbers(np.uint8, expected >> 3)

    def has(self, number: int) -> bool:
        """Whether ``number`` was there."""
        return bool(self._bits.get(number >> 3) >> (number & 7) & 1)

    def have(self, numbers: Integers) -> npt.NDArray[np.bool_]:
        """Which of ``numbers`` were there; negative ones were not."""
        return (self._bits.get_many(numbers >> 3) >> (numbers & 7) & 1).astype(np.bool_)

    def add(self, number: int) -> None:
        """Note that ``number`` is there."""
        self._bits.put(number >> 3, self._bits.get(number >> 3) | 1 << (number & 7))

    def add_many(self, numbers: Integers) -> None:
        """Note that ``numbers`` are there."""
        self._bits.add_bits(numbers >> 3, np.left_shift(1, numbers & 7))


class Counts:
    """How often each number came. A byte each, as few come more than 255 times; of those a dictionary has the rest."""

    __slots__ = ("_carried", "_low")

    def __init__(self, expected: int = 0) -> None:
        self._low = Numbers(np.uint8, expected)
        self._carried: dict[int, int] = {}

    def add_many(self, numbers: Integers) -> None:
        """Count each of ``numbers``, as often as it comes."""
        found, counts = np.unique(numbers, return_counts=True)
        sums = self._low.get_many(found) + counts
        self._low.put_many(found, sums & _LOW)
        for place in np.flatnonzero(sums > _LOW).tolist():
            number = int(found[place])
            self._carried[number] = self._carried.get(number, 0) + int(sums[place] >> _LOW_BITS)

    def get_many(self, numbers: Integers) -> Integers:
        """How often each of ``numbers`` came."""
        counts = self._low.get_many(numbers)
        if self._carried:
            for place in np.flatnonzero(np.isin(numbers, list(self._carried))).tolist():
                counts[place] += self._carried[int(numbers[place])] << _LOW_BITS
        return counts


class Column:
    """A list of integers that grows: one value a slot, slots from 0."""

    __slots__ = ("_values", "length")

    def __init__(self, kind: Kind = np.int32, expected: int = 0) -> None:
        """Resident for ``expected`` values from now on; it grows where there are more."""
        self._values = room(max(expected, _LEAST), kind)
        _touch(self._values)
        self.length = 0

    def extend(self, values: npt.ArrayLike) -> None:
        """Append ``values``."""
        more = np.asarray(values)
        needed = self.length + len(more)
        if needed > len(self._values):
            self._values = _longer(self._values, max(needed, len(self._values) * 5 // 4))
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
