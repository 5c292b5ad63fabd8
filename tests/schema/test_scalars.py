"""How the two scalars are written, against how Python writes the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphql_api.schema.scalars import serialize_datetime, serialize_decimal

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day inside what a datetime can hold, so that every zone's moment has one in UTC.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.one_of(st.just(UTC), ZONES))  # noqa: DTZ001 - the zone is drawn


@given(moment=MOMENTS)
@example(moment=datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC))
@example(moment=datetime(2021, 1, 9, 7, 47, 13, 0, UTC))
def test_a_moment_is_written_in_utc_with_three_places_which_are_cut_and_not_rounded(moment: datetime) -> None:
    expected = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    assert serialize_datetime(moment) == f"{expected}Z"


@given(number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
@example(number=Decimal(140))
@example(number=Decimal("140.00"))
@example(number=Decimal("1E+5"))
@example(number=Decimal("1.23E-7"))
@example(number=Decimal("0E-2"))
@example(number=Decimal("-0.005"))
def test_a_decimal_number_is_written_with_two_places(number: Decimal) -> None:
    assert serialize_decimal(number) == f"{number:.2f}"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_not_taken_for_one_with_two_places(number: str) -> None:
    assert serialize_decimal(Decimal(number)) == f"{Decimal(number):.2f}"
