"""The files of a dirty export: what is unusual of each as a whole, and on which physical line a record begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from random import Random
from typing import TypeVar

from etl.generating.dialects import COLUMNS, Dialect
from etl.streams import created

EXTRA_COLUMN, EXTRA_FIELD = "imported_by", '"night run, ""eu-1"""'

_TEXT = r'"[^"]*+(?:""[^"]*+)*+"|[^",\n]*+'
_T = TypeVar("_T")
_FLUSH_CHARACTERS = 1 << 18
_EACH = 2  # files that have any one oddity


@dataclass(frozen=True)
class Form:
    """What is unusual of one file as a whole."""

    compression: str
    """The ending of its name: ``.gz``, ``.zst``, or nothing."""
    marked: bool
    """Begins with a byte order mark."""
    crlf: bool
    """Some lines end with CR LF."""
    cut: bool
    """The last line has no line feed."""
    order: tuple[int, ...]
    """The columns in the order they are written. The first is a number, by which readers find the next record."""
    extra: int | None
    """The place of a column that no loader knows, if there is one."""

    @property
    def kinds(self) -> list[str]:
        """The kinds of dirt that this is."""
        named = {
            "gzip": self.compression == ".gz",
            "Zstandard": self.compression == ".zst",
            "byte order mark": self.marked,
            "CR LF": self.crlf,
            "no last line feed": self.cut,
            "columns in another order": self.order != tuple(sorted(self.order)),
            "extra column": self.extra is not None,
        }
        return [name for name, is_so in named.items() if is_so]


def shuffled(random: Random, some: Sequence[_T]) -> list[_T]:
    """``some`` in another order. Not ``random.shuffle``, whose sequence of numbers is not promised between versions."""
    return [one for _, _, one in sorted((random.random(), place, one) for place, one in enumerate(some))]


def forms(random: Random, dialect: Dialect) -> dict[str, Form]:
    """A form for each table's file; each oddity is somewhere among them."""
    tables = list(dialect.files)
    compressions = dict(zip(shuffled(random, tables), (".gz", ".zst"), strict=False))
    marked, crlf, cut, moved, extra = (set(shuffled(random, tables)[:_EACH]) for _ in range(5))
    return {
        table: Form(
            compression=compressions.get(table, ""),
            marked=table in marked,
            crlf=table in crlf,
            cut=table in cut,
            order=_order(random, COLUMNS[table], moved=table in moved),
            extra=1 + int(random.random() * len(COLUMNS[table])) if table in extra else None,
        )
        for table in tables
    }


def _order(random: Random, columns: Sequence[str], *, moved: bool) -> tuple[int, ...]:
    usual = list(range(len(columns)))
    if not moved:
        return tuple(usual)
    numbers = [place for place in usual if columns[place] == "id" or columns[place].endswith("_id")]
    while True:
        first = shuffled(random, numbers)[0]
        order = [first, *shuffled(random, [place for place in usual if place != first])]
        if order != usual:
            return tuple(order)


class DirtyFile:
    """One file being written. Fields are tokens as a clean file of the export would have them, in its order."""

    def __init__(self, folder: Path, name: str, columns: Sequence[str], form: Form, random: Random) -> None:
        self.name = name + form.compression
        self.columns = columns
        self.first = columns[form.order[0]]
        """The column that each line begins with."""
        self.line = 1
        """The line on which the next record begins."""
        self.broken = False
        """Whether the record before was none, so that a reader looks for the next that begins with a number."""
        self._form = form
        self._random = random
        self._path = folder / self.name
        self._places = {column: place for place, column in enumerate(columns)}
        self._fields = re.compile(",".join([f"({_TEXT})"] * len(columns)))
        template = [f"{{{place}}}" for place in form.order]
        if form.extra is not None:
            template.insert(form.extra, EXTRA_FIELD)
        self._template = ",".join(template)
        self._rearranged = form.extra is not None or list(form.order) != sorted(form.order)
        self._parts: list[str] = ["\ufeff" if form.marked else ""]
        self._size = 0
        self._end = ""

    def open(self, open_files: ExitStack) -> None:
        """Make the file, with its header, to be closed with ``open_files``."""
        self._stream = open_files.enter_context(created(self._path))
        self.put(",".join(EXTRA_COLUMN if name == EXTRA_FIELD else name for name in self.arranged(self.columns)))

    def fields(self, row: str) -> dict[str, str]:
        """The fields of a clean line, by column."""
        match = self._fields.match(row)
        assert match is not None
        return dict(zip(self.columns, match.groups(), strict=True))

    def arranged(self, fields: Sequence[str]) -> list[str]:
        """``fields`` in the order of this file, with the extra one if it has one."""
        tokens = [fields[place] for place in self._form.order]
        if self._form.extra is not None:
            tokens.insert(self._form.extra, EXTRA_FIELD)
        return tokens

    def put_clean(self, rows: str, count: int) -> None:
        """Write ``count`` clean lines, each with its line feed."""
        text = rows[:-1]
        if self._rearranged:
            # format over all matches: a template of re.sub is filled by Python code before 3.12, 3 times slower.
            text = "\n".join(starmap(self._template.format, self._fields.findall(text)))
        end = self._next_end()
        if end == "\r\n":
            text = text.replace("\n", end)
        self._write(text, end)
        self.line += count

    def put(self, text: str, *, broken: bool = False) -> int:
        """Write a record of one or several lines; the answer is the line it begins on."""
        self._write(text, self._next_end())
        line = self.line
        self.line += 1 + text.count("\n")
        self.broken = broken
        return line

    def close(self) -> None:
        """Write what is left; the file itself is closed with all others."""
        if not self._form.cut:
            self._parts.append(self._end)
        self._flush()

    def _next_end(self) -> str:
        return "\r\n" if self._form.crlf and self._random.random() < 1 / 2 else "\n"

    def _write(self, text: str, end: str) -> None:
        # The end of the line before: whether the last one gets any is known at the file's end.
        self._parts.append(self._end)
        self._parts.append(text)
        self._end = end
        self.broken = False
        self._size += len(text)
        if self._size > _FLUSH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        # Lone surrogates are bytes that are not UTF-8.
        self._stream.write("".join(self._parts).encode(errors="surrogateescape"))
        self._parts.clear()
        self._size = 0
