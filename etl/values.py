"""A token of a record becomes a typed value, or is refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from graphql_api.db.models import CHARACTERISTIC_KINDS

Reader = Callable[[str], object]
"""Takes a token as written, outer quotes included; raises ``BadValueError``."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
"""No shop had reviews online before; an earlier date is a mistake, such as seconds read as milliseconds."""

KINDS = frozenset(CHARACTERISTIC_KINDS)

_MISSING = frozenset({"", "null"})
MOST_DIGITS = 18
_WHOLE = re.compile(r"[+-]?0*[0-9]{1,18}")
_PRICE = re.compile(r"\+?([0-9]{1,30})(?:\.([0-9]{0,30}))?")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?[ ]?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)
_LARGEST_PRICE = Decimal("999999999999.99")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class BadValueError(Exception):
    """A value that cannot be loaded. ``group`` is the reason without the numbers that differ from row to row."""

    def __init__(self, reason: str, group: str | None = None, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.group = group or reason
        self.column = column


def content(token: str) -> str:
    """What ``token`` says: unquoted, doubled quotes single; blanks around an unquoted one are not part of it."""
    if token[:1] == '"':
        return token[1:-1].replace('""', '"')
    return token.strip()


def is_missing(token: str) -> bool:
    """Whether ``token`` is nothing, or ``null`` without quotes."""
    return token[:1] != '"' and token.strip().lower() in _MISSING


def whole_number(low: int, high: int) -> Reader:
    """A whole number from ``low`` to ``high``, quoted or not."""
    refusal = f"is not from {low} to {high}"

    def read(token: str) -> int:
        number = _integer(token)
        if low <= number <= high:
            return number
        raise BadValueError(refusal)

    return read


def identifier(first_number: int) -> Reader:
    """A positive number below ``first_number``, where the gateway's own numbers begin."""
    refusal = f"is not below {first_number}, where the gateway's own numbers begin"

    def read(token: str) -> int:
        number = _integer(token)
        if number <= 0:
            raise BadValueError("is not a positive number")
        if number < first_number:
            return number
        raise BadValueError(refusal)

    return read


def boolean(token: str) -> bool:
    """``true``, ``false``, ``1`` or ``0``, in any case, quoted or not."""
    value = _BOOLEANS.get(token)
    if value is None:
        value = _BOOLEANS.get(_plain(token).lower())
        if value is None:
            raise BadValueError("is not true, false, 1 or 0")
    return value


def text(longest: int, *, blank: bool) -> Reader:
    """Text of at most ``longest`` code points that must be there; ``blank`` says whether ``""`` will do."""
    refusal = f"is longer than {longest:,} characters"

    def read(token: str) -> str:
        if is_missing(token):
            raise BadValueError("is missing")
        value = content(token)
        if len(value) > longest:
            raise BadValueError(refusal)
        if not blank and not value.strip():
            raise BadValueError("is missing")
        return value

    return read


def optional_text(longest: int, most_bytes: int | None = None) -> Reader:
    """Text of at most ``longest`` code points; nothing, ``""`` and an unquoted ``null`` are ``None``."""
    refusal = f"is longer than {longest:,} characters"

    def read(token: str) -> str | None:
        if is_missing(token):
            return None
        value = content(token)
        if len(value) > longest:
            raise BadValueError(refusal)
        if most_bytes is not None and len(value.encode()) > most_bytes:
            raise BadValueError(f"is longer than {most_bytes:,} bytes")
        return value if value.strip() else None

    return read


def price(token: str) -> Decimal | None:
    """An amount that ``numeric(14, 2)`` holds without rounding; ``null`` is ``None``."""
    if is_missing(token):
        return None
    plain = _plain(token)
    found = _PRICE.fullmatch(plain)
    if found is None:
        raise BadValueError("is not an amount")
    if (found[2] or "").rstrip("0")[2:]:
        raise BadValueError("has more than 2 decimals")
    amount = Decimal(plain)
    if amount > _LARGEST_PRICE:
        raise BadValueError(f"is above {_LARGEST_PRICE}")
    return amount.quantize(Decimal("0.01"))


def kind(token: str) -> str:
    """The name of a characteristic, in any case, as the database spells it."""
    name = _plain(token).upper()
    if name not in KINDS:
        raise BadValueError("is not Size, Width, Comfort, Quality, Length or Fit")
    return name


def moment(now: datetime) -> Reader:
    """Epoch milliseconds, an ISO day (its midnight in UTC) or an ISO timestamp (UTC where it names no zone)."""

    def read(token: str) -> datetime:
        plain = token if token.isdecimal() else _plain(token)
        value = _epoch(plain) if _WHOLE.fullmatch(plain) else _iso(plain)
        if value < EARLIEST:
            raise BadValueError("is before 1995")
        if value > now:
            raise BadValueError("is in the future")
        return value

    return read


def _epoch(plain: str) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=int(plain))
    except OverflowError:
        raise BadValueError("is not a date") from None


def _iso(plain: str) -> datetime:
    if _ISO.fullmatch(plain) is None:
        raise BadValueError("is not a date")
    try:
        value = datetime.fromisoformat(plain.upper().replace(" ", "T", 1).replace(" ", ""))
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValueError("is not a date") from None


def _integer(token: str) -> int:
    # int() alone would take underscores, and digits of other scripts.
    if not (token.isdecimal() and token.isascii() and len(token) <= MOST_DIGITS):
        token = _plain(token)
        if _WHOLE.fullmatch(token) is None:
            raise BadValueError("is not a whole number")
    return int(token)


def _plain(token: str) -> str:
    if is_missing(token):
        raise BadValueError("is missing")
    return content(token).strip()
