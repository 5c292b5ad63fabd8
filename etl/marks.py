"""A hash of each row as the last load read it: what tells a row that changed in the files from one that did not.

The database's own row would not do: shoppers vote on it, and the shop may have mended it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import xxhash

from etl.numbers import Integers
from etl.wire import Encoded

Hashes = npt.NDArray[np.uint64]

_PAGE_BITS = 16
_PAGE = 1 << _PAGE_BITS
_WORD = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio, as in splitmix64
_MIX = np.uint64(0xBF58476D1CE4E5B9)
UNKNOWN = np.uint64(1)
"""The mark of a row that is there and of which no load has left a hash: it is equal to none."""


def hashes_of(rows: Encoded, tail: int) -> Hashes:
    """A 64-bit hash of each row as it is sent, the last ``tail`` bytes left out; 0 and 1 are no hashes."""
    sizes = np.diff(rows.offsets)
    if len(rows) and not tail and sizes[0] % _WORD == 0 and (sizes == sizes[0]).all():
        words = np.frombuffer(rows.data, "<u8").reshape(len(rows), -1)
        hashes = np.zeros(len(rows), np.uint64)
        for place in range(words.shape[1]):
            hashes = (hashes ^ words[:, place]) * _ODD
            hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIX
            hashes ^= hashes >> np.uint64(32)
    else:
        digest, data, offsets = xxhash.xxh3_64_intdigest, rows.data, rows.offsets.tolist()
        hashes = np.array([digest(data[start : end - tail]) for start, end in pairwise(offsets)], np.uint64)
    hashes[hashes <= UNKNOWN] += np.uint64(2)
    return hashes


class Marks:
    """The marks of one table: those of the last load, and those of this one. A page has 65,536 numbers."""

    def __init__(self, pages: Mapping[int, bytes]) -> None:
        self._old = {page: _unpacked(packed) for page, packed in pages.items()}
        self._new: dict[int, Hashes] = {}

    def know(self, numbers: Integers) -> None:
        """Take it that the last load has left rows with these numbers, and no hashes."""
        for page, places, _ in _pages(numbers):
            self._old.setdefault(page, np.zeros(_PAGE, np.uint64))[places] = UNKNOWN

    def exchange(self, numbers: Integers, hashes: Hashes) -> Hashes:
        """Note this load's ``hashes`` of the rows, and give the last one's; 0 where it had no such row."""
        before = np.zeros(len(numbers), np.uint64)
        for page, places, chosen in _pages(numbers):
            old = self._old.get(page)
            if old is not None:
                before[chosen] = old[places]
            new = self._new.get(page)
            if new is None:
                new = self._new[page] = np.zeros(_PAGE, np.uint64)
            new[places] = hashes[chosen]
        return before

    @property
    def known(self) -> int:
        """How many rows the last load has left."""
        return sum(int(np.count_nonzero(page)) for page in self._old.values())

    def missing(self) -> Integers:
        """The numbers that the last load had and this one has not."""
        found = [np.zeros(0, np.int64)]
        for page, old in sorted(self._old.items()):
            new = self._new.get(page)
            gone = old != 0 if new is None else (old != 0) & (new == 0)
            found.append(np.flatnonzero(gone) + (page << _PAGE_BITS))
        return np.concatenate(found)

    def keep(self, numbers: Integers) -> None:
        """Let the old marks of these stand: their rows stay, and will be missing again next time."""
        for page, places, _ in _pages(numbers):
            self._new.setdefault(page, np.zeros(_PAGE, np.uint64))[places] = self._old[page][places]

    def packed(self) -> Iterator[tuple[int, bytes]]:
        """Each page that this load's marks change, as it is stored; an empty one is to be removed."""
        nothing = np.zeros(_PAGE, np.uint64)
        for page in sorted(self._old.keys() | self._new.keys()):
            new = self._new.get(page, nothing)
            if page not in self._old or not np.array_equal(new, self._old[page]):
                yield page, _packed(new)


def _unpacked(packed: bytes) -> Hashes:
    page = np.zeros(_PAGE, np.uint64)
    page[: len(packed) // _WORD] = np.frombuffer(packed, "<u8")
    return page


def _pages(numbers: Integers) -> Iterator[tuple[int, Integers, slice | npt.NDArray[np.bool_]]]:
    """(page, the places in it, which of the numbers they are) for each page that ``numbers`` lie in."""
    pages = numbers >> _PAGE_BITS
    places = numbers & (_PAGE - 1)
    if not len(numbers):
        return
    if (pages == pages[0]).all():
        yield int(pages[0]), places, slice(None)
        return
    for page in np.unique(pages).tolist():
        chosen = pages == page
        yield page, places[chosen], chosen


def pages_of(numbers: Integers) -> Iterator[tuple[int, Integers]]:
    """(page, the places in it) of ``numbers``."""
    for page, places, _ in _pages(numbers):
        yield page, places


def with_unknown(packed: bytes, places: Integers) -> bytes:
    """A page in which the rows at ``places`` are there, with no hash."""
    page = _unpacked(packed)
    page[places] = UNKNOWN
    return _packed(page)


def _packed(page: Hashes) -> bytes:
    last = np.flatnonzero(page)
    return page[: last[-1] + 1].astype("<u8").tobytes() if len(last) else b""
