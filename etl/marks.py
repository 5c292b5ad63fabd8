"""A hash of each row as the last load read it: what tells a row that changed in the files from one that did not.

The database's own row would not do: shoppers vote on it, and the shop may have mended it by hand.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Self

import numpy as np
import numpy.typing as npt
import xxhash

from etl.numbers import Integers, room
from etl.wire import Encoded

Hashes = npt.NDArray[np.uint64]

_PAGE_BITS = 16
_PAGE = 1 << _PAGE_BITS
_WORD = 8
_PAGES_IN_MEMORY = 32
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio, as in splitmix64
_MIX = np.uint64(0xBF58476D1CE4E5B9)
UNKNOWN = np.uint64(1)
"""The mark of a row that is there and of which no load has left a hash: it is equal to none."""
NONE = np.uint64(0)
"""The mark of a row that is not there."""


def hashes_of(rows: Encoded, tail: int) -> Hashes:
    """A 64-bit hash of each row as it is sent, the last ``tail`` bytes left out; 0 and 1 are no hashes."""
    # By what the table's rows are, not by what these are: a row's hash must not depend on its neighbours.
    if rows.fixed and not tail and len(rows.data) % (_WORD * len(rows)) == 0:
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


class Pages:
    """Pages by number, of which the ones used last are in memory, 16 MiB at most, and the others in a file."""

    def __init__(self) -> None:
        self._memory = room(_PAGES_IN_MEMORY * _PAGE, np.uint64).reshape(-1, _PAGE)
        self._near: OrderedDict[int, Hashes] = OrderedDict()
        self._far: dict[int, int] = {}
        self._file: IO[bytes] | None = None

    def __iter__(self) -> Iterator[int]:
        """The numbers of all pages."""
        return iter(self._near.keys() | self._far.keys())

    def get(self, page: int) -> Hashes | None:
        """The page, to be looked at or changed before the next call; ``None`` where there is none."""
        found = self._near.get(page)
        if found is not None:
            self._near.move_to_end(page)
            return found
        place = self._far.get(page)
        if place is None:
            return None
        assert self._file is not None
        found = self._make(page)
        self._file.seek(place)
        found[:] = np.frombuffer(self._file.read(_PAGE * _WORD), np.uint64)
        return found

    def get_or_make(self, page: int) -> Hashes:
        """The page, empty where there was none."""
        found = self.get(page)
        if found is None:
            found = self._make(page)
            found[:] = 0
        return found

    def clear(self) -> None:
        """Forget all pages."""
        if self._file is not None:
            self._file.close()
        self._near.clear()
        self._far.clear()
        self._file = None

    def _make(self, page: int) -> Hashes:
        """A place for the page, which holds anything: an empty one, or that of the page used longest ago."""
        if len(self._near) < _PAGES_IN_MEMORY:
            found: Hashes = self._memory[len(self._near)]
        else:
            old, found = self._near.popitem(last=False)
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the pages
            place = self._far.setdefault(old, len(self._far) * _PAGE * _WORD)
            self._file.seek(place)
            self._file.write(found.data)
        self._near[page] = found
        return found


class Marks:
    """The marks of one table: those of the last load, and those of this one. A page has 65,536 numbers.

    To be used in a ``with``, which ends with all of them forgotten.
    """

    def __init__(self) -> None:
        self._old = Pages()
        self._new = Pages()
        self._stored = True
        self.known = 0
        """How many rows the last load has left."""
        self.sum = 0
        """Their numbers, added up."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()
        self._new.clear()

    def forget(self) -> None:
        """Forget the last load, and that it is stored."""
        self._old.clear()
        self._stored = False
        self.known = self.sum = 0

    def add_page(self, page: int, packed: bytes) -> None:
        """Take a page of the last load's, as it is stored."""
        hashes = _unpacked(packed)
        places = np.flatnonzero(hashes)
        self.known += len(places)
        self.sum += int(places.sum()) + (page << _PAGE_BITS) * len(places)
        self._old.get_or_make(page)[:] = hashes

    def know(self, numbers: Integers) -> None:
        """Take it that the last load has left rows with these numbers, and no hashes."""
        for page, places, _ in _pages(numbers):
            self._old.get_or_make(page)[places] = UNKNOWN

    def exchange(self, numbers: Integers, hashes: Hashes) -> Hashes:
        """Note this load's ``hashes`` of the rows, and give the last one's; 0 where it had no such row."""
        before = np.zeros(len(numbers), np.uint64)
        for page, places, chosen in _pages(numbers):
            old = self._old.get(page)
            if old is not None:
                before[chosen] = old[places]
            self._new.get_or_make(page)[places] = hashes[chosen]
        return before

    def missing(self) -> Integers:
        """The numbers that the last load had and this one has not."""
        found = [np.zeros(0, np.int64)]
        for page in sorted(self._old):
            old, new = self._old.get(page), self._new.get(page)
            assert old is not None
            gone = old != 0 if new is None else (old != 0) & (new == 0)
            found.append(np.flatnonzero(gone) + (page << _PAGE_BITS))
        return np.concatenate(found)

    def keep(self, numbers: Integers) -> None:
        """Let the old marks of these stand: their rows stay, and will be missing again next time."""
        for page, places, _ in _pages(numbers):
            old = self._old.get(page)
            assert old is not None
            self._new.get_or_make(page)[places] = old[places]

    def packed(self) -> Iterator[tuple[int, bytes]]:
        """Each page that this load's marks change, as it is stored; an empty one is to be removed."""
        for page in sorted({*self._old, *self._new}):
            old, new = self._old.get(page), self._new.get(page)
            if new is None:
                yield page, b""
            elif old is None or not self._stored or not np.array_equal(new, old):
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


def changed_page(packed: bytes, places: Integers, mark: np.uint64) -> bytes:
    """A page in which the rows at ``places`` have ``mark``."""
    page = _unpacked(packed)
    page[places] = mark
    return _packed(page)


def _packed(page: Hashes) -> bytes:
    last = np.flatnonzero(page)
    return page[: last[-1] + 1].astype("<u8").tobytes() if len(last) else b""
