"""The kinds of columns: how one token is read, how a block of values is judged at once, and what they become.

``read`` is the rule. ``judge`` is the same rule over an Arrow array for values in the plain form; what it does not take
is not refused, it goes to ``read``. So ``judge`` may doubt whatever it likes, and must never take what ``read`` would
refuse or read otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl import values
from etl.values import EARLIEST, EPOCH, KINDS, Reader
from etl.wire import BIGINT, BOOLEAN, INTEGER, NUMERIC, SMALLINT, TEXT, TIMESTAMP, Wire

Mask = npt.NDArray[np.bool_]
Judged = tuple[Any, Mask]
"""The values of a block as the wire takes them (those that are not taken are anything), and which are taken."""

MICROSECONDS = 1000
_DAY = 86_400_000_000
_CENTS = 100
_BLANK = 0x20
_BEYOND_ASCII = 0x80
_SPACES = pa.array([chr(code) for code in range(0x80, 0x3001) if chr(code).isspace()])
_PRICE = r"^[0-9]{1,12}(\.[0-9]{1,2})?$"


@dataclass(frozen=True)
class Column:
    """One column of a file. ``arrow``: the types that a block may be read as, tried in their order."""

    read: Reader
    arrow: tuple[pa.DataType, ...]
    judge: Callable[[pa.Array], Judged]
    wire: Wire
    gather: Callable[[list[Any]], Any]
    """What ``read`` gave for several rows, as the wire takes it."""


def _whole(array: pa.Array, low: int, high: int) -> Judged:
    """Whole numbers from ``low`` to ``high``; those that are missing become 0, and are not taken."""
    if array.null_count:
        there = pc.is_valid(array).to_numpy(zero_copy_only=False)
        array = pc.fill_null(array, 0)
    else:
        there = True
    numbers = array.to_numpy()
    return numbers, there & (numbers >= low) & (numbers <= high)


def _integers(found: list[Any]) -> Any:
    return np.array(found, np.int64)


def identifier(first_number: int) -> Column:
    """A number of a row: positive, and below ``first_number``."""
    return Column(
        values.identifier(first_number),
        (pa.int64(),),
        lambda array: _whole(array, 1, first_number - 1),
        BIGINT,
        _integers,
    )


def whole_number(low: int, high: int, wire: Wire = SMALLINT) -> Column:
    """A whole number from ``low`` to ``high``."""
    return Column(
        values.whole_number(low, high), (pa.int64(),), lambda array: _whole(array, low, high), wire, _integers
    )


def count() -> Column:
    """A whole number from 0 that PostgreSQL's ``integer`` holds."""
    return whole_number(0, 2**31 - 1, INTEGER)


def boolean() -> Column:
    """True or false."""

    def judge(array: pa.Array) -> Judged:
        taken = pc.is_valid(array).to_numpy(zero_copy_only=False)
        return pc.fill_null(array, False).to_numpy(zero_copy_only=False), taken  # noqa: FBT003 - the value of a null

    return Column(values.boolean, (pa.bool_(),), judge, BOOLEAN, lambda found: np.array(found, np.bool_))


def _plain(array: pa.Array, longest: int) -> Mask:
    """Texts short enough that begin and end with neither a blank nor a control character: quotes or not, the same.

    An unquoted token is stripped of blanks, a quoted one is not, and Arrow does not tell which is which.
    """
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)
    if not len(data):
        return np.ones(len(array), np.bool_)
    lengths = np.diff(offsets)
    full = lengths > 0
    first = data[np.minimum(offsets[:-1], len(data) - 1)]
    last = data[np.maximum(offsets[1:] - 1, 0)]
    plain: Mask = ~full | ((first > _BLANK) & (last > _BLANK))
    strange = np.flatnonzero(full & ((first >= _BEYOND_ASCII) | (last >= _BEYOND_ASCII)))
    if len(strange):
        some = array.take(pa.array(strange))
        for edge in (pc.utf8_slice_codeunits(some, 0, 1), pc.utf8_slice_codeunits(some, -1)):
            plain[strange[pc.is_in(edge, _SPACES).to_numpy(zero_copy_only=False)]] = False
    # A text has no more characters than bytes.
    for place in np.flatnonzero(lengths > longest):
        if len(array[int(place)].as_py() or "") > longest:
            plain[place] = False
    return plain


def _texts(found: list[Any]) -> pa.Array:
    return pa.array(found, pa.string())


def text(longest: int, *, blank: bool) -> Column:
    """Text that must be there; ``blank``: whether nothing between quotes will do."""

    def judge(array: pa.Array) -> Judged:
        taken = pc.is_valid(array).to_numpy(zero_copy_only=False) & _plain(array, longest)
        if not blank:
            taken &= pc.fill_null(pc.binary_length(array), 0).to_numpy() > 0
        return array, taken

    return Column(values.text(longest, blank=blank), (pa.string(),), judge, TEXT, _texts)


def optional_text(longest: int, most_bytes: int | None = None) -> Column:
    """Text that may be missing; an empty one is missing."""

    def judge(array: pa.Array) -> Judged:
        empty = pc.equal(pc.binary_length(array), 0)
        if pc.any(empty).as_py():
            array = pc.if_else(empty, pa.scalar(None, pa.string()), array)
        taken = _plain(array, longest)
        if most_bytes is not None:
            taken &= pc.fill_null(pc.binary_length(array), 0).to_numpy() <= most_bytes
        return array, taken

    return Column(values.optional_text(longest, most_bytes), (pa.string(),), judge, TEXT, _texts)


def kind() -> Column:
    """The name of a characteristic, as the database spells it."""
    known = pa.array(sorted(KINDS))

    def judge(array: pa.Array) -> Judged:
        names = pc.utf8_upper(array)
        return names, pc.fill_null(pc.is_in(names, known), False).to_numpy(zero_copy_only=False)  # noqa: FBT003

    return Column(values.kind, (pa.string(),), judge, TEXT, _texts)


def price() -> Column:
    """An amount with two decimals, in cents; may be missing."""

    def judge(array: pa.Array) -> Judged:
        fits = pc.match_substring_regex(array, _PRICE)
        taken = pc.fill_null(fits, True).to_numpy(zero_copy_only=False)  # noqa: FBT003 - what is missing is taken
        amounts = pc.cast(pc.if_else(fits, array, pa.scalar(None, pa.string())), pa.decimal128(16, 2))
        return _cents(amounts), taken

    def gather(found: list[Any]) -> Any:
        whole = [None if amount is None else int(Decimal(amount) * _CENTS) for amount in found]
        return pa.array(whole, pa.int64())

    return Column(values.price, (pa.string(),), judge, NUMERIC, gather)


def _cents(amounts: pa.Array) -> pa.Array:
    """``amounts``, decimals of two places, as whole numbers: the lower half of each."""
    valid, data = amounts.buffers()
    halves = np.frombuffer(data, "<i8", 2 * len(amounts), amounts.offset * 16)[::2]
    missing = None if valid is None else pc.is_null(amounts).to_numpy(zero_copy_only=False)
    return pa.array(halves.astype(np.int64), mask=missing)


def moment(now: datetime) -> Column:
    """A time from 1995 to ``now``, in microseconds since 1970."""
    earliest, latest = microseconds(EARLIEST), microseconds(now)

    def judge(array: pa.Array) -> Judged:
        if pa.types.is_date32(array.type):
            days, taken = _whole(array.cast(pa.int32()).cast(pa.int64()), earliest // _DAY, latest // _DAY)
            return days * _DAY, taken
        thousands, taken = _whole(array, earliest // MICROSECONDS, latest // MICROSECONDS)
        return thousands * MICROSECONDS, taken

    return Column(
        values.moment(now),
        (pa.int64(), pa.date32()),
        judge,
        TIMESTAMP,
        lambda found: np.array([microseconds(one) for one in found], np.int64),
    )


def microseconds(moment: datetime) -> int:
    """``moment`` in microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)
