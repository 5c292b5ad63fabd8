"""Dirt for which a loader must reject the row, with the reason it must give."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from etl.generating.dialects import Dialect
from etl.generating.dirt_broken import broken_kinds
from etl.generating.dirt_kinds import Effect, Kind, Row
from etl.shapes import LONGEST_BODY, LONGEST_TEXT
from graphql_api.settings import Settings

DUPLICATE = "was in the file before"
_LINE = Settings().first_number
_NO_NUMBER, _MISSING_NUMBER = "not a number", "missing number"
_TEXTS = {
    "products": ("name", "slogan", "description", "category"),
    "reviews": ("summary", "body", "reviewer_name", "reviewer_email", "response"),
    "photos": ("url",),
}
_MANDATORY = {"name", "summary", "body", "reviewer_name", "reviewer_email", "url"}
_PARENT = {"photos": "review_id", "ratings": "review_id", "reviews": "product_id", "characteristics": "product_id"}


def rejected_kinds(table: str, numbers: tuple[str, ...], dialect: Dialect) -> Iterator[Kind]:
    """The kinds for ``table``, whose columns ``numbers`` are of whole numbers."""
    yield from broken_kinds(table)
    yield from _number_kinds(numbers)
    yield from _text_kinds(_TEXTS.get(table, ()))
    yield from _other_kinds(table)
    yield Kind("duplicate number", Effect.COPIED, "id", lambda _: DUPLICATE)
    parent = _PARENT.get(table)
    if parent is not None and (parent != "product_id" or "products" in dialect.files):
        yield Kind("missing parent", Effect.MISPLACED, parent, partial(_missing, parent))
    if table == "ratings":
        column = "characteristic_id"
        yield Kind("unknown characteristic", Effect.MISPLACED, column, partial(_missing, column))
        yield Kind("characteristic of another product", Effect.MISPLACED, column, _foreign)
        yield Kind("rated twice", Effect.MISPLACED, column, _twice)


def _value_kind(name: str, column: str, reason: str, *tokens: str) -> Kind:
    """A value that cannot be read: one of ``tokens``, whose braces stand for what was there."""

    def spoil(row: Row) -> str | None:
        if row.file.broken and column == row.file.first and name in {_NO_NUMBER, _MISSING_NUMBER}:
            # A reader looks on for a line that begins with a number, and takes this one for a part of what is broken.
            return None
        row.fields[column] = row.pick(*tokens).format(row.fields[column])
        return reason

    return Kind(name, Effect.REFUSED, column, spoil)


def _number_kinds(columns: tuple[str, ...]) -> Iterator[Kind]:
    for column in columns:
        tokens = ("abc", "4.5", "1_0", "٣", "1e3", '"{}a"', "0x{}", "1234567890123456789", "- 4")
        yield _value_kind(_NO_NUMBER, column, "is not a whole number", *tokens)
        yield _value_kind(_MISSING_NUMBER, column, "is missing", "", "null", "NULL", "  ")
        if column.endswith("id"):
            yield _value_kind("not a positive number", column, "is not a positive number", "0", "-3", '"-{}"', "-0")
            beyond = (str(_LINE), f'"{_LINE + 7}"', str(10**18 - 1))
            reason = f"is not below {_LINE}, where the gateway's own numbers begin"
            yield _value_kind("number of the gateway's", column, reason, *beyond)
        elif column == "helpfulness":
            yield _value_kind("out of range", column, f"is not from 0 to {2**31 - 1}", "-1", str(2**31))
        else:
            yield _value_kind("out of range", column, "is not from 1 to 5", "0", "6", "-1", "{}0", '"17"')


def _text_kinds(columns: tuple[str, ...]) -> Iterator[Kind]:
    for column in columns:
        longest = LONGEST_BODY if column == "body" else LONGEST_TEXT
        tokens = [_quoted((word * longest)[: longest + 1]) for word in ('long, "and longer" ', "länger 👟 ")]
        yield _value_kind("over-long text", column, f"is longer than {longest:,} characters", *tokens)
        if column in _MANDATORY:
            yield _value_kind("missing text", column, "is missing", "null", "", "NULL")


def _other_kinds(table: str) -> Iterator[Kind]:
    if table == "products":
        yield _value_kind("not an amount", "default_price", "is not an amount", '"12,50"', "€20", "1e3", "-5")
        yield _value_kind("amount too exact", "default_price", "has more than 2 decimals", "12.345", '"0.999"')
    if table == "characteristics":
        reason = "is not Size, Width, Comfort, Quality, Length or Fit"
        yield _value_kind("unknown kind", "name", reason, '"Colour"', "Sizes", '"Fit, Length"', '""')
    if table == "reviews":
        earlier = ("788918399999", "1596080481", '"1994-12-31"', "-1", '"0001-01-01"')
        yield _value_kind("before 1995", "date", "is before 1995", *earlier)
        yield _value_kind("in the future", "date", "is in the future", "32503680000000", '"2999-01-01"', "2999-12-31")
        yield _value_kind(
            "not a date", "date", "is not a date", "yesterday", '"2019-02-30"', "01/02/2019", '"2019-2-3"'
        )
        for column in ("recommend", "reported"):
            yield _value_kind("not a boolean", column, "is not true, false, 1 or 0", "yes", "2", '"t"', "-1")


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _missing(column: str, row: Row) -> str:
    row.fields[column] = str(row.missing_number)
    return f"there is no {column.removesuffix('_id')} {row.missing_number}"


def _foreign(row: Row) -> str | None:
    characteristic, home = row.foreign
    if not characteristic:
        return None
    row.fields["characteristic_id"] = str(characteristic)
    review = row.fields["review_id"]
    return f"characteristic {characteristic} belongs to product {home}, and review {review} to product {row.product}"


def _twice(row: Row) -> str | None:
    if not row.rated_before:
        return None
    row.fields["characteristic_id"] = str(row.rated_before)
    return f"review {row.fields['review_id']} has rated characteristic {row.rated_before} before"
