"""Columns of values become the rows of PostgreSQL's binary COPY, whole blocks at a time.

The format: https://www.postgresql.org/docs/current/sql-copy.html, *Binary Format*; each value as its type's ``send``
function writes it. A row is: the number of fields (2 bytes), then each field's length (4 bytes, -1 for null) and value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_SINCE_2000 = 946_684_800_000_000  # PostgreSQL counts microseconds from there
_NULL = b"\xff\xff\xff\xff"
_GROUPS = (10**12, 10**8, 10**4, 1)  # of an amount's whole part, four digits each
_CENTS = 100


@dataclass(frozen=True)
class Wire:
    """How one type is sent: ``size`` bytes and ``form``, or for texts and amounts neither."""

    name: str
    form: str = ""
    size: int = 0


BIGINT = Wire("bigint", ">i8", 8)
INTEGER = Wire("integer", ">i4", 4)
SMALLINT = Wire("smallint", ">i2", 2)
BOOLEAN = Wire("boolean", "i1", 1)
TIMESTAMP = Wire("timestamptz", ">i8", 8)
TEXT = Wire("text")
NUMERIC = Wire("numeric")
BYTES = Wire("bytea")
_INTEGER_OID = 23
_ARRAY_HEAD = (1, 0, _INTEGER_OID)  # dimensions, no nulls, type of the elements


def integers(count: int) -> Wire:
    """An array of ``count`` integers."""
    words = len(_ARRAY_HEAD) + 2 + 2 * count
    return Wire(f"integer[{count}]", f"({words},)>i4", 4 * words)


def arrays(rows: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Each row of a matrix as an array of integers is sent: a head, its length, its first index, the elements."""
    count = rows.shape[1]
    words = np.empty((len(rows), len(_ARRAY_HEAD) + 2 + 2 * count), np.int32)
    words[:, : len(_ARRAY_HEAD) + 2] = (*_ARRAY_HEAD, count, 1)
    words[:, len(_ARRAY_HEAD) + 2 :: 2] = 4
    words[:, len(_ARRAY_HEAD) + 3 :: 2] = rows
    return words


class Encoded(NamedTuple):
    """Rows ready to be copied: row ``i`` is ``data[offsets[i]:offsets[i + 1]]``.

    ``fixed``: rows of the table are all of one size, whatever they hold.
    """

    data: memoryview
    offsets: npt.NDArray[np.int64]
    fixed: bool = False

    def __len__(self) -> int:
        return len(self.offsets) - 1


NOTHING = Encoded(memoryview(b""), np.zeros(1, np.int64))


def encode(wires: Sequence[Wire], columns: Sequence[Any]) -> Encoded:
    """The rows of ``columns``: arrays of numpy, or of Arrow where the wire has no size."""
    rows = len(columns[0])
    if not rows:
        return NOTHING
    block = _Block(rows)
    block.add("count", ">i2", len(wires))
    parts: list[Any] = []
    for wire, column in zip(wires, columns, strict=True):
        if wire.size:
            block.add("length", ">i4", wire.size)
            block.add("value", wire.form, column - _SINCE_2000 if wire is TIMESTAMP else column)
            continue
        parts += block.parts()
        block = _Block(rows)
        parts += [_amounts(column)] if wire is NUMERIC else _texts(column)
    if not parts:
        return block.encoded()
    parts += block.parts()
    joined = pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.binary()))
    offsets = np.frombuffer(joined.buffers()[1], np.int32, rows + 1).astype(np.int64)
    return Encoded(memoryview(joined.buffers()[2])[: offsets[-1]], offsets)


class _Block:
    """Neighbouring fields of known sizes, of all rows."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._fields: list[tuple[str, str]] = []
        self._values: list[Any] = []

    def add(self, name: str, form: str, values: Any) -> None:
        self._fields.append((f"{name}{len(self._fields)}", form))
        self._values.append(values)

    def _filled(self) -> npt.NDArray[Any]:
        block = np.empty(self._rows, np.dtype(self._fields))
        for (name, _), values in zip(self._fields, self._values, strict=True):
            block[name] = values
        return block

    def parts(self) -> list[pa.Array]:
        return [_bytes(self._filled())] if self._fields else []

    def encoded(self) -> Encoded:
        block = self._filled()
        width = block.dtype.itemsize
        return Encoded(block.view(np.uint8).data, np.arange(self._rows + 1, dtype=np.int64) * width, fixed=True)


def _bytes(block: npt.NDArray[Any]) -> pa.Array:
    kind = pa.binary(block.dtype.itemsize)
    return pa.Array.from_buffers(kind, len(block), [None, pa.py_buffer(block)]).cast(pa.binary())


def _texts(texts: pa.Array) -> list[pa.Array]:
    lengths = pc.binary_length(texts)
    if texts.null_count:
        lengths, texts = pc.fill_null(lengths, -1), pc.fill_null(texts, pa.scalar(b"").cast(texts.type))
    return [_bytes(lengths.to_numpy().astype(">i4")), texts.cast(pa.binary())]


def _amounts(cents: pa.Array) -> pa.Array:
    """Each amount as four groups of four digits before the point and one behind it; PostgreSQL drops the zeros."""
    missing = pc.is_null(cents)
    amounts = pc.fill_null(cents, 0).to_numpy()
    whole = amounts // _CENTS
    fields = {"length": 18, "groups": 5, "weight": 3, "sign": 0, "scale": 2}
    fields |= {f"group{size}": whole // size % 10_000 for size in _GROUPS}
    fields["behind"] = amounts % _CENTS * _CENTS
    forms = [(name, ">i4" if name == "length" else ">i2") for name in fields]
    block = np.empty(len(amounts), np.dtype(forms))
    for name, values in fields.items():
        block[name] = values
    return pc.if_else(missing, pa.scalar(_NULL, pa.binary()), _bytes(block))


def picked(rows: Encoded, places: npt.NDArray[np.intp]) -> Encoded:
    """The rows at ``places``."""
    if len(places) == len(rows):
        return rows
    pieces = [rows.data[rows.offsets[place] : rows.offsets[place + 1]] for place in places.tolist()]
    offsets = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    return Encoded(memoryview(b"".join(pieces)), offsets)
