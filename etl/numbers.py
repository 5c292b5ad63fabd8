"""What is remembered of the numbers in a folder, so that children find their parents and nothing is loaded twice."""

from __future__ import annotations

from array import array

REJECTED = -1
_AHEAD = 1_000_000


class Numbers:
    """A value for each number: 0 where none was put, ``REJECTED`` where only a rejected row had the number.

    8 bytes a number where numbers are dense, as they are in every export seen (46 MB for 5.8 million reviews); one
    that lies more than a million beyond twice the highest before it costs about 100 bytes, in a dictionary.
    """

    __slots__ = ("_far", "_near")

    def __init__(self) -> None:
        self._near = array("q", [0]) * 1024
        self._far: dict[int, int] = {}

    def get(self, number: int) -> int:
        """The value of ``number``."""
        if number < len(self._near):
            value = self._near[number]
            if value or not self._far:
                return value
        return self._far.get(number, 0)

    def put(self, number: int, value: int) -> None:
        """Set the value of ``number``, which is positive."""
        near = self._near
        if number >= len(near):
            if number > 2 * len(near) + _AHEAD:
                self._far[number] = value
                return
            near.frombytes(bytes(8 * (max(number + 1, len(near) + len(near) // 2) - len(near))))
        near[number] = value


class Seen:
    """A set of numbers: one byte each where they are dense (20 MB for 19.3 million ratings), as in ``Numbers``."""

    __slots__ = ("_far", "_near")

    def __init__(self) -> None:
        self._near = bytearray(1024)
        self._far: set[int] = set()

    def __contains__(self, number: int) -> bool:
        if number < len(self._near) and self._near[number]:
            return True
        return number in self._far

    def add(self, number: int) -> None:
        """Remember ``number``, which is positive."""
        near = self._near
        if number >= len(near):
            if number > 2 * len(near) + 8 * _AHEAD:
                self._far.add(number)
                return
            near.extend(bytes(max(number + 1, len(near) + len(near) // 2) - len(near)))
        near[number] = 1
