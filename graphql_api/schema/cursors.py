"""Cursors: the place of a row in one order, so that a page starts there whatever was written meanwhile.

A cursor is the URL-safe base64 of ``connection|product|key|…``. It names its connection, sort and product, and is
refused by any other. Clients take it for opaque.
"""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, datetime, timedelta

from graphql_api.errors import BadUserInputError
from graphql_api.schema.identity import MAX_NUMBER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_LENGTH = 250

CONNECTIONS = ("reviews", "photos", "catalog")

Value = float | int | datetime


def encode(connection: str, product_id: int, values: tuple[Value, ...]) -> str:
    """The cursor of the row at ``values`` in the order ``connection`` of a product."""
    plain = f"{connection}|{product_id}|{'|'.join(map(_spell, values))}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(cursor: str, argument: str, connection: str, product_id: int, types: tuple[type, ...]) -> tuple[Value, ...]:
    """The values of ``cursor``, which came as ``argument``.

    Raises ``BadUserInputError`` for a cursor of another connection, sort or product, and for anything else.
    """
    parts = _parts(cursor)
    if parts is None or len(parts) < 3 or parts[0].partition(":")[0] not in CONNECTIONS:  # noqa: PLR2004 - name, product, key
        raise BadUserInputError(f"`{argument}` is not a cursor: use `endCursor`, `startCursor` or an edge's `cursor`.")
    if parts[:2] != [connection, str(product_id)]:
        raise BadUserInputError(
            f"`{argument}` is a cursor of another connection, sort or product: start again without it."
        )
    try:
        values = tuple(_read(text, type_) for text, type_ in zip(parts[2:], types, strict=True))
    except (ValueError, OverflowError):
        values = ()
    # Base64 and numbers have several spellings; only one of them is a cursor of ours.
    if not values or encode(connection, product_id, values) != cursor:
        raise BadUserInputError(f"`{argument}` is not a cursor: use `endCursor`, `startCursor` or an edge's `cursor`.")
    return values


def _parts(cursor: str) -> list[str] | None:
    if len(cursor) > _MAX_LENGTH:
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split("|")
    except (binascii.Error, ValueError):
        return None


def _spell(value: Value) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // _MICROSECOND)
    return repr(value)


def _read(text: str, type_: type) -> Value:
    if type_ is float:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    whole = int(text)
    if abs(whole) > MAX_NUMBER:
        raise ValueError(text)
    return _EPOCH + timedelta(microseconds=whole) if type_ is datetime else whole
