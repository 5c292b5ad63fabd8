"""Dirt that makes a record none: its lines are rejected as a whole, and reading goes on at the next record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from etl.generating.dirt_kinds import Effect, Kind, Row, Spoil

_CUT_CHARACTER, _LATIN_1, _NEVER_A_BYTE, _SURROGATE = "\udcc3", "\udce9", "\udcff", "\udced\udca0\udc80"


def broken_kinds(table: str) -> Iterator[Kind]:
    def kind(name: str, spoil: Spoil) -> Kind:
        return Kind(name, Effect.BROKEN, "", spoil)

    yield kind("too few fields", _too_few)
    yield kind("too many fields", _too_many)
    yield kind("unclosed quote", _unclosed)
    yield kind("quote not doubled", _not_doubled)
    yield kind("invalid UTF-8", _invalid)
    yield kind("NUL", lambda row: _inside(row, "\0", "holds a NUL byte"))
    if table in {"products", "reviews", "photos"}:
        yield kind("stray quote", _stray)
    if table == "reviews":
        yield kind("unclosed quote and a line break", _unclosed_with_line_break)


def _place(row: Row, fits: Callable[[str], bool]) -> int | None:
    """A token that ``fits``, not the first: its number is where reading goes on. Makes the tokens."""
    row.tokens = row.file.arranged(list(row.fields.values()))
    places = [place for place, token in enumerate(row.tokens) if place and fits(token)]
    return places[int(row.random.random() * len(places))] if places else None


def _is_text(token: str) -> bool:
    return token.startswith('"')


def _wrong_count(row: Row, width: int) -> str:
    return f"has {len(row.tokens)} fields where the header has {width}"


def _too_few(row: Row) -> str:
    place = _place(row, lambda _: True)
    width = len(row.tokens)
    del row.tokens[place or -1]
    return _wrong_count(row, width)


def _too_many(row: Row) -> str:
    place = _place(row, lambda _: True) or 1
    width = len(row.tokens)
    row.tokens[place:place] = [row.pick("7", '"and, more"', "", "null")] * (1 + int(row.random.random() * 2))
    return _wrong_count(row, width)


def _unclosed(row: Row) -> str:
    place = _place(row, _is_text)
    if place is None:
        place = _place(row, bool) or 1
        row.tokens[place] = f'"{row.tokens[place]}'
    else:
        row.tokens[place] = row.tokens[place][:-1]
    return "a quote is not closed"


def _unclosed_with_line_break(row: Row) -> str:
    row.fields["body"] = row.fields["body"][:-1].replace(" ", "\n", 1)
    row.tokens = row.file.arranged(list(row.fields.values()))
    return "a quote is not closed"


def _stray(row: Row) -> str | None:
    place = _place(row, _is_text)
    if place is None:
        return None
    row.tokens[place] = row.tokens[place][:-1] + ' 5" wide"'
    return "a quote is not closed"


def _not_doubled(row: Row) -> str:
    place = _place(row, _is_text)
    if place is None:
        place = _place(row, bool) or 1
        row.tokens[place] += '"x"'
    else:
        row.tokens[place] = row.tokens[place][:-1] + ' "so" and on"'
    return "a quote inside a field is not doubled"


def _invalid(row: Row) -> str:
    return _inside(row, row.pick(_CUT_CHARACTER, _LATIN_1, _NEVER_A_BYTE, _SURROGATE), "is not valid UTF-8")


def _inside(row: Row, character: str, reason: str) -> str:
    place = _place(row, _is_text)
    if place is None:
        place = _place(row, bool) or 1
    token = row.tokens[place]
    row.tokens[place] = token[:1] + character + token[1:]
    return reason
