"""The two scalars of the contract: a moment in UTC with milliseconds, and a price with two places."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

_TWO_PLACES = [f"{number:02d}" for number in range(60)]
_THREE_PLACES = [f"{number:03d}" for number in range(1000)]


def serialize_datetime(value: datetime) -> str:
    """``2021-01-09T07:47:13.963Z``: UTC, always three places, what is smaller cut off.

    As ``isoformat`` writes it, in a third of its time, which was a twentieth of a page's.
    """
    if value.tzinfo is not UTC:
        # What the driver makes of -infinity, the first of all moments, has no time zone.
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    day, milliseconds = _day(value.toordinal()), _THREE_PLACES[value.microsecond // 1000]
    return f"{day}T{_TWO_PLACES[value.hour]}:{_TWO_PLACES[value.minute]}:{_TWO_PLACES[value.second]}.{milliseconds}Z"


@lru_cache(maxsize=8192)  # twenty years
def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def serialize_decimal(value: Decimal | str) -> str:
    """``140.00``: always two places."""
    text = str(value)
    # As the column has it. With a format it takes twice the time.
    return text if text[-3:-2] == "." else f"{Decimal(value):.2f}"


def _scalar(name: str, description: str, serialize: object) -> ScalarDefinition:
    return ScalarDefinition(
        name=name,
        description=description,
        specified_by_url=None,
        serialize=serialize,  # type: ignore[arg-type] # called with the Python type it is mapped from
        parse_value=None,
        parse_literal=None,
    )


def schema_config(*, suggestions: bool = True) -> StrawberryConfig:
    """The schema's configuration; ``suggestions``: whether errors propose names that exist."""
    return StrawberryConfig(
        scalar_map={
            datetime: _scalar(
                "DateTime",
                "A moment in UTC, ISO 8601 with milliseconds, such as `2021-01-09T07:47:13.963Z`.",
                serialize_datetime,
            ),
            Decimal: _scalar(
                "Decimal", 'An exact decimal number as a string with two places, such as `"140.00"`.', serialize_decimal
            ),
        },
        disable_field_suggestions=not suggestions,
    )
