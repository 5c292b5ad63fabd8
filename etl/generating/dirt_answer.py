"""The answer to a dirty export: which rows must be rejected, and what dirt there is, as the generator knows it."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

REJECTED_ROWS, DIRT = "dirt.csv", "dirt.json"
ANSWERS = (REJECTED_ROWS, DIRT)

COLUMNS = ("file", "line", "column", "reason")

LOADED, REJECTED, ABSENT = range(3)
"""What became of a row. An absent one cannot even be told by its number: for its children it was never there."""


class Answer:
    """Counts what is loaded, and keeps the rejected rows of each table in a file of its own until the end."""

    def __init__(self, folder: Path, tables: Iterable[str]) -> None:
        self._folder = folder
        self._tables = tuple(tables)
        self.loaded = Counter(dict.fromkeys(self._tables, 0))
        self.rejected = Counter(dict.fromkeys(self._tables, 0))
        self.cleaned_kinds: Counter[str] = Counter()
        self.rejected_kinds: Counter[str] = Counter()

    def open(self, open_files: ExitStack) -> None:
        """Make the files in which rejections wait for those of the tables before."""
        self._waiting = {table: open_files.enter_context(_unnamed(self._folder)) for table in self._tables}
        self._writers = {table: csv.writer(file, lineterminator="\n") for table, file in self._waiting.items()}

    def reject(self, table: str, file: str, line: int, column: str, reason: str, kind: str) -> None:
        """Note a row that must be rejected; ``column`` is empty where the record as a whole is the trouble."""
        self._writers[table].writerow((file, line, column, reason))
        self.rejected[table] += 1
        self.rejected_kinds[kind] += 1

    def write(self, arguments: Mapping[str, Any], files: Mapping[str, str], forms: Mapping[str, list[str]]) -> None:
        """Write ``dirt.csv`` and ``dirt.json``; ``files`` and ``forms`` go by table."""
        with (self._folder / REJECTED_ROWS).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow(COLUMNS)
            for waiting in self._waiting.values():
                waiting.seek(0)
                shutil.copyfileobj(waiting, stream)
        content = {
            "arguments": arguments,
            "files": {
                name: {"read": self.read(table), "loaded": self.loaded[table], "rejected": self.rejected[table]}
                for table, name in files.items()
            },
            "forms": {files[table]: kinds for table, kinds in forms.items()},
            "cleaned": dict(sorted(self.cleaned_kinds.items())),
            "rejected": dict(sorted(self.rejected_kinds.items())),
        }
        (self._folder / DIRT).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def read(self, table: str) -> int:
        """How many rows the table's file has."""
        return self.loaded[table] + self.rejected[table]


def _unnamed(folder: Path) -> IO[str]:
    return TemporaryFile("w+", encoding="utf-8", newline="", dir=folder)


def lost(parent: str, number: int, state: int) -> tuple[str, str]:
    """The column and the reason for which the child of a row that is not loaded is rejected."""
    gone = f"{parent} {number} was rejected" if state == REJECTED else f"there is no {parent} {number}"
    return f"{parent}_id", gone
