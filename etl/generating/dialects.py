"""The two generations of the export: which files they have, and how each writes what the other writes otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etl.folder import FILE_NAMES

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "products": ("id", "name", "slogan", "description", "category", "default_price"),
    "characteristics": ("id", "product_id", "name"),
    "reviews": (
        "id", "product_id", "rating", "date", "summary", "body", "recommend", "reported", "reviewer_name",
        "reviewer_email", "response", "helpfulness",
    ),
    "photos": ("id", "review_id", "url"),
    "ratings": ("id", "characteristic_id", "review_id", "value"),
}  # fmt: skip
"""The columns of each table's file, in the export's own order."""

FIRST_DATE_MS = 1_577_836_800_000
"""2020-01-01 UTC, when the first made-up review was written."""

DATE_STEP_MS = 9
"""Dates are multiples of it, 0 to 2 ** 32 - 1, from the first on: some 447 days."""

STEPS_A_DAY = 86_400_000 // DATE_STEP_MS


@dataclass(frozen=True)
class Dialect:
    """One generation."""

    name: str
    files: Mapping[str, str]
    """The file of each table, in loading order."""
    days: Sequence[str] | None
    """The fields of days since the first date, or ``None`` where dates are epoch milliseconds."""
    yes: tuple[str, str]
    no: tuple[str, str]
    """The two forms of a boolean; which one a row has is up to chance."""
    no_response: tuple[str, str]


def iso_day(number: int) -> str:
    """The field that names the day ``number`` days after the first date."""
    day = datetime.fromtimestamp(FIRST_DATE_MS / 1000, UTC) + timedelta(days=number)
    return f'"{day:%Y-%m-%d}"'


V1 = Dialect(
    name="v1",
    files={table: names[-1] for table, names in FILE_NAMES.items() if table != "products"},
    days=[iso_day(number) for number in range(2**32 // STEPS_A_DAY + 1)],
    yes=("true", "1"),
    no=("false", "0"),
    no_response=("", "null"),
)
V2 = Dialect(
    name="v2",
    files={table: names[0] for table, names in FILE_NAMES.items()},
    days=None,
    yes=("true", "true"),
    no=("false", "false"),
    no_response=("null", "null"),
)
DIALECTS = {dialect.name: dialect for dialect in (V1, V2)}
