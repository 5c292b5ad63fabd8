"""Many records at once: a block of lines parsed by Arrow, where it certainly means what ``Records`` would read.

Arrow's CSV parser is a hundred times as fast as a regular expression a line, and more lenient: it takes quotes within a
field, hexadecimal numbers, bare carriage returns. What it would read otherwise is looked for here; any doubt, and the
block is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from etl.columns import Column, Judged

_LF, _CR, _QUOTE, _COMMA = b'\n\r",'
_BOM = b"\xef\xbb\xbf"  # Arrow drops it wherever a block begins; to the rules it is a sign like any other
_NULLS = ["", *("".join(letters) for letters in product("nN", "uU", "lL", "lL"))]


class Block(NamedTuple):
    """``size`` bytes that are ``lines`` lines and whole records."""

    data: bytes
    size: int
    lines: int
    ends: npt.NDArray[np.int64]
    """Of each record the place of its line feed."""
    starting: npt.NDArray[np.int64]
    """Of each record how many lines of the block come before it."""
    columns: list[Judged]

    def text(self, record: int) -> str:
        """The record as it stands in the file, without its line feed."""
        start = int(self.ends[record - 1]) + 1 if record else 0
        return self.data[start : int(self.ends[record])].decode()


class Parser:
    """Parses blocks of one file."""

    def __init__(self, header: Sequence[str], columns: Sequence[tuple[int, Column]]) -> None:
        self._columns = columns
        self._names = [str(place) for place in range(len(header))]
        # What no column wants is read as text, so that bytes which are not UTF-8 are found there too.
        self._types = dict.fromkeys(self._names, pa.string())
        self._choices = max(len(column.arrow) for _, column in columns)
        self._choice = 0

    def parse(self, data: bytes) -> Block | None:
        """The records of ``data``, which is whole lines; ``None`` where they must be read one by one.

        Lines at the end that a quote holds open are left out.
        """
        if b"\0" in data or data.startswith(_BOM) or _has_hexadecimal(data):
            return None
        found = _boundaries(data)
        if found is None:
            return None
        newlines, inside, size = found
        data = data[:size]
        table = self._read(data)
        if table is None:
            return None
        ends = newlines if inside is None else newlines[~inside]
        if len(ends) != table.num_rows:
            return None
        starting = np.arange(len(ends), dtype=np.int64)
        if len(ends) != len(newlines):
            starting[1:] = np.searchsorted(newlines, ends[:-1]) + 1
        columns = [
            # One block of bytes is one chunk of values.
            column.judge(table.column(place).chunk(0))
            for place, column in self._columns
        ]
        return Block(data, size, len(newlines), ends, starting, columns)

    def _read(self, data: bytes) -> pa.Table | None:
        """``data`` with the types that fitted the block before, else with the next ones."""
        for turn in range(self._choices):
            choice = (self._choice + turn) % self._choices
            for place, column in self._columns:
                self._types[str(place)] = column.arrow[min(choice, len(column.arrow) - 1)]
            try:
                table = pyarrow.csv.read_csv(
                    pa.BufferReader(data),
                    read_options=pyarrow.csv.ReadOptions(
                        use_threads=False, column_names=self._names, block_size=len(data) + 1
                    ),
                    parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                    convert_options=pyarrow.csv.ConvertOptions(
                        column_types=self._types,
                        null_values=_NULLS,
                        true_values=["true", "1"],
                        false_values=["false", "0"],
                        strings_can_be_null=True,
                        quoted_strings_can_be_null=False,
                    ),
                )
            except pa.ArrowInvalid:
                continue
            self._choice = choice
            return table
        return None


def _has_hexadecimal(data: bytes) -> bool:
    """Whether a field may begin with ``0x``, which Arrow reads as a number."""
    for sign in (b"0x", b"0X"):
        at = data.find(sign)
        while at >= 0:
            if at == 0 or data[at - 1] in b',\n" \t-':
                return True
            at = data.find(sign, at + 1)
    return False


def _boundaries(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_] | None, int] | None:
    """(each line feed, whether quotes hold it, the size of the whole records); ``None`` where quotes stand wrong.

    Quotes stand right where each opens behind a comma or a line feed, closes before one, or is doubled. Without any
    quote the answer is (each line feed, ``None``, size).
    """
    letters = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(letters == _LF)
    if b'"' not in data:
        return newlines, None, len(data)
    quotes = np.flatnonzero(letters == _QUOTE)
    inside = (np.searchsorted(quotes, newlines) & 1).astype(np.bool_)
    if len(quotes) & 1:
        outside = np.flatnonzero(~inside)
        if not len(outside):
            return None
        newlines, inside = newlines[: outside[-1] + 1], inside[: outside[-1] + 1]
        quotes = quotes[: np.searchsorted(quotes, newlines[-1])]
    opening, closing = quotes[0::2], quotes[1::2]
    if len(opening):
        doubled = opening[1:] == closing[:-1] + 1
        before = letters[opening - 1]
        begins = (before == _COMMA) | (before == _LF)
        begins[0] |= opening[0] == 0
        begins[1:] |= doubled
        behind = letters[closing + 1]
        ends = (behind == _COMMA) | (behind == _LF)
        if b"\r" in data:
            # A carriage return ends a field only as a part of the line's end.
            ends |= (behind == _CR) & (letters[np.minimum(closing + 2, len(letters) - 1)] == _LF)
        ends[:-1] |= doubled
        if not (begins.all() and ends.all()):
            return None
    return newlines, inside, int(newlines[-1]) + 1
