"""Dirt that a loader must see through, and oddities that are no dirt at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from etl.generating.dialects import FIRST_DATE_MS, Dialect, iso_day
from etl.generating.dirt_kinds import Effect, Kind, Row, Spoil
from etl.shapes import LONGEST_BODY

_DAY_MS = 86_400_000
_ODD_TEXTS = {
    "products": ("name", "slogan", "description"),
    "reviews": ("summary", "body", "reviewer_name", "response"),
}


def cleaned_kinds(table: str, numbers: tuple[str, ...], dialect: Dialect) -> Iterator[Kind]:
    """The kinds for ``table``, whose columns ``numbers`` are of numbers."""

    def kind(name: str, column: str, spoil: Spoil) -> Kind:
        return Kind(name, Effect.CLEANED, column, spoil)

    yield kind("blank line", "", _blank_line)
    for column in numbers:
        yield kind("blanks around a number", column, _replaced(column, " {}", "{} ", "\t{}  "))
        yield kind("quoted number", column, _replaced(column, '"{}"', '"{}"', '" {}"', ' "{}" '))
    if table == "characteristics":
        yield kind("characteristic in another case", "name", lambda row: _put(row, "name", row.fields["name"].upper()))
        yield kind("characteristic without quotes", "name", lambda row: _put(row, "name", row.fields["name"][1:-1]))
    for column in _ODD_TEXTS.get(table, ()):
        yield kind("doubled quotes", column, _inserted(column, ' ""so"",'))
        yield kind("other scripts", column, _inserted(column, " Größe 42½ 👟👍🏽 日本語 אב\u2028"))
    if table == "reviews":
        yield kind("line break in text", "body", _break_line)
        yield kind("longest text", "body", _longest)
        yield kind("quoted null", "response", lambda row: _put_response(row, '"null"'))
        yield kind("missing in another form", "response", _missing_otherwise)
        yield kind("date of the other generation", "date", _swap_days if dialect.days else _swap_milliseconds)
        for column in ("recommend", "reported"):
            if dialect.days is None:
                yield kind("boolean as a digit", column, _boolean(column, "1", "0"))
            yield kind("boolean in another case", column, _boolean(column, "TRUE True tRue", "FALSE False faLse"))
            yield kind("quoted boolean", column, _boolean(column, '"true" "1" "True"', '"false" "0" "FALSE"'))


def _put(row: Row, column: str, token: str) -> str:
    row.fields[column] = token
    return ""


def _blank_line(row: Row) -> str:
    row.blank_line = row.pick("", "", "  ", "\t")
    return ""


def _replaced(column: str, *forms: str) -> Spoil:
    return lambda row: _put(row, column, row.pick(*forms).format(row.fields[column]))


def _inserted(column: str, text: str) -> Spoil:
    def spoil(row: Row) -> str | None:
        token = row.fields[column]
        return _put(row, column, token[:-1] + text + '"') if token.startswith('"') else None

    return spoil


def _break_line(row: Row) -> str:
    """A break behind the first word; what follows may look like the beginning of a record, or like a whole one."""
    first, _, rest = row.fields["body"].partition(" ")
    record = row.file.arranged([
        str(row.missing_number) if column.endswith("id") else "5" for column in row.file.columns
    ])  # fmt: skip
    # The extra field has quotes, which would have to be doubled.
    whole = ",".join("5" if token.startswith('"') else token for token in record)
    between = row.pick("\n", "\n\n", "\r\n", "\n12, or 13: ", f"\n{whole}\n")
    return _put(row, "body", first + between + rest)


def _longest(row: Row) -> str:
    token = row.fields["body"]
    length = len(token[1:-1].replace('""', '"'))
    return _put(row, "body", f'{token[:-1]}{"👟" * (LONGEST_BODY - length)}"')


def _put_response(row: Row, token: str) -> str | None:
    return None if row.fields["response"].startswith('"') else _put(row, "response", token)


def _missing_otherwise(row: Row) -> str | None:
    return _put_response(row, row.pick("", '""', "NULL", " null "))


def _swap_milliseconds(row: Row) -> str:
    return _put(row, "date", iso_day((int(row.fields["date"]) - FIRST_DATE_MS) // _DAY_MS))


def _swap_days(row: Row) -> str:
    day = datetime.fromisoformat(row.fields["date"][1:-1]).replace(tzinfo=UTC)
    return _put(row, "date", str(round(day.timestamp()) * 1000))


def _boolean(column: str, yes: str, no: str) -> Spoil:
    def spoil(row: Row) -> str:
        return _put(row, column, row.pick(*(yes if row.fields[column] in {"true", "1"} else no).split(" ")))

    return spoil
