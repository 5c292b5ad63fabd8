"""Lines become rows of their table, or rejections: types first, then what the rows say of each other.

A block is parsed, judged and encoded as a whole where nothing in it is out of the ordinary; single odd rows are read
one by one; where the lines themselves are in doubt the block is halved, down to a few lines, which are read one by one.
What a row becomes, and why it is rejected, is the same on each way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.blocks import Block, Parser
from etl.columns import Mask
from etl.lines import BLOCK_BYTES, Source, printable
from etl.numbers import Integers
from etl.records import Broken, Records
from etl.rejects import Rejection, Writer, masked, shortened, without_addresses, without_fields_of_addresses
from etl.report import FileReport
from etl.rules import Link, number_in
from etl.shapes import Shape
from etl.streams import opened
from etl.values import BadValueError, content
from etl.wire import BIGINT, INTEGER, NOTHING, Encoded, encode
from graphql_api.errors import OperatorError

SMALLEST_BLOCK = 1 << 12
"""Below, a block costs more than its rows one by one."""

PHOTO_COUNT_BYTES = 8
"""The last field of a review as it is encoded, which is no part of the file's row."""

_PARENTS_NAMED = frozenset({"products", "characteristics", "reviews"})
Counted = Callable[[Integers], Any]


class Rows(NamedTuple):
    """Rows to be stored as they are, and the number of each."""

    numbers: Integers
    encoded: Encoded


class Reader:
    """Reads one file. ``report`` counts what is read and rejected, ``reject`` gets each rejection."""

    def __init__(
        self,
        shape: Shape,
        link: Link,
        report: FileReport,
        reject: Writer,
        *,
        photos_of: Counted | None = None,
        stored: bool = True,
    ) -> None:
        self._shape = shape
        self._link = link
        self._report = report
        self._reject = reject
        self._photos_of = photos_of
        """For reviews: how many photos each of these numbers has."""
        self._stored = stored
        """Whether the rows are for the database, and not only for ``link`` to see."""
        self._file = report.file
        self._id = list(shape.columns).index("id")
        self._columns = list(shape.columns.values())
        wires = [column.wire for column in self._columns]
        if shape.table not in _PARENTS_NAMED:
            wires.insert(0, BIGINT)
        if photos_of is not None:
            wires.append(INTEGER)
        self._wires = wires

    def rows(self, path: Path, advanced: Callable[[int], None]) -> Iterator[Rows]:
        """The rows of the file at ``path``, a block at a time; ``advanced`` gets the place in the file in bytes.

        Raises ``OperatorError`` where the header lacks a column.
        """
        with opened(path) as (stream, position):
            records = Records(Source(stream), self._refuse)
            self._records, source = records, records.source
            self._header = records.header
            self._places = _places(path, self._shape, records.header)
            parser = Parser(records.header, list(zip(self._places, self._columns, strict=True)))
            size = BLOCK_BYTES
            while data := source.peek(size):
                found = self._at_once(parser, data)
                if found is not None:
                    yield from found
                    size = min(2 * size, BLOCK_BYTES)
                elif min(size, len(data)) > SMALLEST_BLOCK:
                    # Not half of what came: that may be one long line, however small the size.
                    size = min(size, len(data)) // 2
                else:
                    yield from self._one_by_one(records.read(len(data)))
                    size = 2 * SMALLEST_BLOCK
                advanced(position())

    def _at_once(self, parser: Parser, data: bytes) -> list[Rows] | None:
        """The rows of a block of lines; ``None`` where they must be read one by one."""
        block = parser.parse(data) if len(data) <= BLOCK_BYTES else None
        if block is None:
            return None
        values = [column for column, _ in block.columns]
        taken: Mask = np.ones(len(block.ends), np.bool_)
        for _, some in block.columns:
            taken &= some
        judged = self._link.judge(values, taken)
        if judged is None:
            return None
        right, products = judged
        odd: list[tuple[int, Sequence[str]]] = []
        if not right.all():
            found = self._odd(block, np.flatnonzero(~right))
            if found is None:
                return None
            odd = found
            values = [_of(column, right) for column in values]
            products = None if products is None else products[right]
        rows = []
        if len(values[0]):
            self._link.keep(values)
            rows.append(self._encoded(values, products))
        self._records.source.take(block.size, block.lines)
        rows += self._one_by_one(iter(odd))
        return rows

    def _odd(self, block: Block, places: npt.NDArray[np.intp]) -> list[tuple[int, Sequence[str]]] | None:
        """(line, fields) of the records at ``places``; ``None`` where one is none after all."""
        line = self._records.source.line
        odd = []
        for place in places.tolist():
            text = block.text(place)
            if not text.strip():
                continue
            fields = self._records.fields_of(text)
            if fields is None:
                return None
            odd.append((line + int(block.starting[place]), fields))
        return odd

    def _one_by_one(self, records: Iterator[tuple[int, Sequence[str]]]) -> list[Rows]:
        """The rows of ``records``; what is wrong with the others is told."""
        plan = [(place, column.read) for place, column in zip(self._places, self._columns, strict=True)]
        good = []
        for line, fields in records:
            try:
                good.append(self._link.link([read(fields[place]) for place, read in plan]))
            except BadValueError as error:
                self._refuse_row(line, fields, error)
        if not good:
            return []
        columns: list[Any] = [list(column) for column in zip(*good, strict=True)]
        products = None
        if self._shape.table not in _PARENTS_NAMED:
            products = np.array(columns.pop(0), np.int64)
        values = [column.gather(found) for column, found in zip(self._columns, columns, strict=True)]
        return [self._encoded(values, products)]

    def _encoded(self, values: list[Any], products: Integers | None) -> Rows:
        numbers = values[self._id]
        columns = values if products is None else [products, *values]
        if self._photos_of is not None:
            columns = [*columns, self._photos_of(numbers)]
        self._report.rows += len(numbers)
        return Rows(numbers, encode(self._wires, columns) if self._stored else NOTHING)

    def _refuse(self, broken: Broken) -> None:
        row = broken.text if self._shape.e_mail is None else without_fields_of_addresses(broken.text)
        self._refused(Rejection(self._file, broken.line, "", "", broken.reason, printable(row), broken.group))

    def _refuse_row(self, line: int, fields: Sequence[str], error: BadValueError) -> None:
        self._link.reject(number_in(fields[self._places[self._id]]))
        self._refused(_rejection(self._file, line, fields, self._shape, self._places, self._header, error))

    def _refused(self, rejection: Rejection) -> None:
        self._report.rejected(rejection)
        self._reject(rejection)


def _of(column: Any, right: Mask) -> Any:
    return column[right] if isinstance(column, np.ndarray) else column.filter(pa.array(right))


def _places(path: Path, shape: Shape, header: Sequence[str]) -> list[int]:
    if not header:
        raise OperatorError(f"{path.name} has no header: its first line must name the columns.")
    missing = [name for name in shape.columns if name not in header]
    if missing:
        # What stands there instead is not shown: where the header is missing it is a row, with an e-mail address.
        known = [name for name in header if name in shape.columns]
        found = f"names only {', '.join(known)}." if known else "names none: is the header missing?"
        raise OperatorError(f"{path.name} has no column {', no column '.join(missing)}; its first line {found}")
    twice = [name for name in shape.columns if header.count(name) > 1]
    if twice:
        raise OperatorError(f"{path.name} names the column {twice[0]} twice.")
    return [header.index(name) for name in shape.columns]


def _rejection(
    file: str,
    line: int,
    fields: Sequence[str],
    shape: Shape,
    places: Sequence[int],
    header: Sequence[str],
    error: BadValueError,
) -> Rejection:
    column = error.column or _first_bad(fields, shape, places)
    token = fields[header.index(column)]
    value = masked(content(token)) if column == shape.e_mail else shortened(content(token))
    shown = [without_addresses(field) for field in fields]
    if shape.e_mail is not None:
        place = header.index(shape.e_mail)
        quote = '"' if shown[place][:1] == '"' else ""
        shown[place] = quote + masked(content(fields[place])) + quote
    return Rejection(file, line, column, value, error.reason, printable(",".join(shown)), f"{column} {error.group}")


def _first_bad(fields: Sequence[str], shape: Shape, places: Sequence[int]) -> str:
    """The column that was refused: found by reading again, so that good rows need not keep count."""
    for (name, column), place in zip(shape.columns.items(), places, strict=True):
        try:
            column.read(fields[place])
        except BadValueError:
            return name
    raise AssertionError("a value is refused every time or never")
