"""What became of each file's rows, as data: counted, checked, and written as JSON."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from etl.rejects import Rejection
from graphql_api.errors import ReviewsError

LINES_SHOWN = 10
"""How many line numbers a reason keeps here; the reject file has them all."""


class AccountingError(ReviewsError):
    """Rows were read that are neither loaded nor rejected: the load is undone."""


@dataclass
class Reason:
    """Why rows were rejected, how many, and the lines of the first ones."""

    reason: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class FileReport:
    """One file. ``rows`` is how many were handed to the database; loaded is inserted, updated and unchanged.

    ``missing``: rows that the last load brought and the file no longer has; of them ``pruned`` were removed.
    """

    file: str
    table: str
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    pruned: int = 0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        """Rows of the file that the database holds."""
        return self.inserted + self.updated + self.unchanged

    @property
    def refused(self) -> int:
        """Rows that were rejected."""
        return sum(reason.count for reason in self.reasons)

    @property
    def read(self) -> int:
        """Rows the file has."""
        return self.rows + self.refused

    def rejected(self, rejection: Rejection) -> None:
        """Count ``rejection`` under its group."""
        for reason in self.reasons:
            if reason.reason == rejection.group:
                break
        else:
            reason = Reason(rejection.group)
            self.reasons.append(reason)
        reason.count += 1
        if len(reason.lines) < LINES_SHOWN:
            reason.lines.append(rejection.line)

    def check(self, in_database: int) -> None:
        """Raise ``AccountingError`` unless every row read is loaded or rejected, and the database agrees."""
        if self.read != self.loaded + self.refused:
            raise AccountingError(
                f"{self.file}: {self.read:,} rows read, {self.loaded:,} loaded and {self.refused:,} rejected; "
                "nothing was changed."
            )
        stays = self.missing - self.pruned
        if in_database != self.loaded + stays:
            others = f" and {stays:,} of earlier loads" if stays else ""
            raise AccountingError(
                f"{self.file}: {self.loaded:,} rows loaded{others}, and the database holds {in_database:,}; "
                "nothing was changed."
            )


@dataclass
class Step:
    """A part of a load, and how long it took."""

    name: str
    seconds: float


@dataclass
class Report:
    """One load. ``placeholders`` counts products that were made because there is no ``product.csv``."""

    source: str
    fingerprint: str
    first_number: int = 0
    """Numbers in the files had to be below it; 0: not known."""
    files: list[FileReport] = field(default_factory=list)
    placeholders: int = 0
    seconds: float = 0.0
    rejects: str = ""
    """The reject file of the run that loaded the folder."""
    steps: list[Step] = field(default_factory=list)
    carried_on: str = ""
    """From where, if the load was interrupted before."""
    loaded_before: bool = False
    """Whether this very folder was what the last load had loaded, so that nothing was done."""
    started: float = field(default_factory=time.monotonic, repr=False, compare=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done within."""
        begun = time.monotonic()
        yield
        self.steps.append(Step(name, round(time.monotonic() - begun, 3)))

    def finish(self) -> None:
        """Note that the load took until now."""
        self.seconds = round(time.monotonic() - self.started, 3)

    @property
    def rows(self) -> int:
        """Rows read from all files."""
        return sum(file.read for file in self.files)

    @property
    def leaves_missing(self) -> bool:
        """Whether rows of earlier loads were found missing and not removed."""
        return any(file.missing > file.pruned for file in self.files)

    def to_json(self, *, indent: int | None = 2) -> str:
        """The report, with the sums spelt out."""
        values = dataclasses.asdict(self)
        del values["started"]
        for file, entry in zip(self.files, values["files"], strict=True):
            del entry["rows"]
            entry.update(read=file.read, loaded=file.loaded, rejected=file.refused)
            entry["reasons"] = entry.pop("reasons")
        return json.dumps(values, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that ``to_json`` wrote."""
        values: dict[str, Any] = json.loads(text)
        files = []
        for entry in values.pop("files"):
            entry["rows"] = entry.pop("read") - entry.pop("rejected")
            del entry["loaded"]
            entry["reasons"] = [Reason(**reason) for reason in entry["reasons"]]
            files.append(FileReport(**entry))
        values["steps"] = [Step(**step) for step in values.get("steps", [])]
        return cls(files=files, **values)
