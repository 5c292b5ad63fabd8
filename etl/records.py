"""CSV records with their line numbers, and with the quotes that tell ``null`` from ``"null"``.

Not the csv module: it drops the quotes, and after an unclosed one it takes the rest of the file for one field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from etl.lines import LINE_BYTES, Lines, Source, unfit

_TEXT = r'"[^"]*+(?:""[^"]*+)*+"|[^",]*+'
_FIELD = rf"[ \t]*+({_TEXT})[ \t\r]*+"
_ANY_RECORD = re.compile(rf"[ \t]*+(?:{_TEXT})[ \t\r]*+(?:,[ \t]*+(?:{_TEXT})[ \t\r]*+)*+")
_ONE_FIELD = re.compile(_FIELD)
_OPENS = re.compile(r'[ \t]*"?[ \t]*[+-]?[0-9]+[ \t]*"?[ \t]*,')

WRONG_COUNT = "wrong number of fields"


class Broken(NamedTuple):
    """Lines that are no record: ``line`` is the first, ``text`` all of them; ``group``: the reason without numbers."""

    line: int
    text: str
    reason: str
    group: str


class Records:
    """The records of one file, read line by line: (starting line, fields) each.

    A field is its token as written: a quoted one keeps its quotes, blanks around quotes are gone. What is no record
    goes to ``broken``, and reading goes on at the next line that starts with a number and a comma. Lines of blanks
    between records are skipped.
    """

    def __init__(self, source: Source, broken: Callable[[Broken], None]) -> None:
        self.source = source
        self._broken = broken
        self.header = self._read_header()
        self._width = len(self.header)
        self._whole = re.compile(",".join([_FIELD] * self._width)).fullmatch
        # Where the first column is not a number, only a line that is whole can be told from the middle of a text.
        self._numbered = bool(self.header) and (self.header[0] == "id" or self.header[0].endswith("_id"))

    def _read_header(self) -> list[str]:
        lines = Lines(self.source)
        if not lines.grow(1) or not _ANY_RECORD.fullmatch(lines.window[0]):
            return []
        line = lines.window[0]
        lines.forget(1)
        return [token.strip('" \t\r').lower() for token in _tokens(line)]

    def fields_of(self, text: str) -> Sequence[str] | None:
        """The fields of ``text`` if it is one record, which may hold line feeds; ``None`` for any other text."""
        if '"' not in text:
            fields = text.split(",")
            return fields if len(fields) == self._width else None
        match = self._whole(text)
        return match.groups() if match else None

    def read(self, size: int) -> Iterator[tuple[int, Sequence[str]]]:
        """The records that begin in the next ``size`` bytes, at least one line; the source goes on behind them."""
        lines, fields_of = Lines(self.source), self.fields_of
        lines.grow(size)
        at, end = 0, len(lines.window)
        # The window may grow under way, when a record goes on behind its end.
        while at < end:
            line = lines.window[at]
            fields = fields_of(line)
            if fields is not None and not (lines.suspicious and unfit(line)):
                yield lines.first + at, fields
                at += 1
            elif not line.strip():
                at += 1
            else:
                start = lines.first + at
                at, fields = self._read_slowly(lines, at)
                if fields is not None:
                    yield start, fields
        lines.forget(at)

    def _read_slowly(self, lines: Lines, at: int) -> tuple[int, Sequence[str] | None]:
        """The record of several lines at ``at`` and the place after it; or ``None`` and where to go on."""
        end, fields, reason, group = self._parse(lines, at)
        if fields is not None:
            return end, fields
        following = self._next_start(lines, at, end)
        text = "\n".join(lines.window[at:following])
        self._broken(Broken(lines.first + at, text, reason, group))
        return following, None

    def _next_start(self, lines: Lines, at: int, end: int) -> int:
        """Where reading goes on after the broken record at ``at``, whose own quotes end before ``end``."""
        following, size = at + 1, 0
        while size <= LINE_BYTES and (line := lines.get(following)) is not None:
            opens = _OPENS.match(line) is not None
            # Within the broken record's own quotes a number and a comma may be text.
            if (opens or not self._numbered) and (
                (self._numbered and following >= end) or self._parse(lines, following)[1] is not None
            ):
                break
            size += len(line) + 1
            following += 1
        return following

    def _parse(self, lines: Lines, at: int) -> tuple[int, Sequence[str] | None, str, str]:
        """(place after it, its fields, "", "") of a whole record; else (end, None, reason, group)."""
        line = lines.get(at) or ""
        parts, size, end = [line], len(line), at + 1
        is_open = line.count('"') % 2 == 1
        while is_open and size <= LINE_BYTES and (line_after := lines.get(end)) is not None:
            parts.append(line_after)
            size += len(line_after) + 1
            end += 1
            is_open = line_after.count('"') % 2 == 0
        text = "\n".join(parts)
        if lines.suspicious or size > LINE_BYTES:
            # Of a quote that is not closed, or closed by that of another record, only the first line is the record's.
            bad = unfit(line if is_open or _ANY_RECORD.fullmatch(text) is None else text)
            if bad is not None:
                return at + 1, None, bad, bad
        if not is_open:
            match = self._whole(text)
            if match is not None:
                return end, match.groups(), "", ""
            if _ANY_RECORD.fullmatch(text) is not None:
                count = len(_tokens(text))
                return end, None, f"has {count} fields where the header has {self._width}", WRONG_COUNT
        if line.count('"') % 2 == 1:
            return at + 1, None, "a quote is not closed", "a quote is not closed"
        reason = "a quote inside a field is not doubled"
        return at + 1, None, reason, reason


def _tokens(text: str) -> list[str]:
    """The fields of ``text``, which is known to be a record."""
    tokens, at = [], 0
    while True:
        found = _ONE_FIELD.match(text, at)
        assert found is not None
        tokens.append(found[1])
        at = found.end() + 1
        if at > len(text):
            return tokens
