"""The two scalars of the contract: a moment in UTC with milliseconds, and a price with two places."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition


def serialize_datetime(value: datetime) -> str:
    """``2021-01-09T07:47:13.963Z``: UTC, always three places."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat("T", "milliseconds")[:23] + "Z"


def serialize_decimal(value: Decimal) -> str:
    """``140.00``: always two places."""
    return f"{value:.2f}"


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
