"""How many rows a load may reject before it gives up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from etl.rejects import Rejection, Writer
from etl.report import FileReport
from graphql_api.errors import OperatorError

_PERCENT = 100


class TooManyRejectsError(OperatorError):
    """A load gave up because it rejected more rows than it may. Nothing was changed."""

    def __init__(self, what: str, reject_path: Path) -> None:
        super().__init__(f"{what}: nothing was changed; the rejected rows are in {reject_path}.")


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """At most so many rows of all files, or at most such a share, 0 to 1, of any one file."""

    rows: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> RejectLimit:
        """Of ``100``: rows; of ``0.5%`` or ``0.005``: a share. Raises ``ValueError`` for anything else."""
        if re.fullmatch(r"[0-9]+", text):
            return cls(rows=int(text))
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?%", text):
            share = float(text[:-1]) / _PERCENT
        elif re.fullmatch(r"[0-9]*\.[0-9]+", text):
            share = float(text)
        else:
            raise ValueError(text)
        if share > 1:
            raise ValueError(text)
        return cls(share=share)

    def watching(self, reject: Writer, reject_path: Path) -> Writer:
        """``reject``, which gives up at the first rejection beyond ``rows``."""
        if self.rows is None:
            return reject
        count, limit = 0, self.rows

        def write(rejection: Rejection) -> None:
            nonlocal count
            reject(rejection)
            count += 1
            if count > limit:
                where = f"{rejection.file}, line {rejection.line}"
                raise TooManyRejectsError(f"More than {limit:,} rows were rejected, the last at {where}", reject_path)

        return write

    def check(self, file: FileReport, reject_path: Path) -> None:
        """Raise ``TooManyRejectsError`` where ``file``, read to its end, has rejected more than ``share``."""
        if self.share is not None and file.refused > self.share * file.read:
            what = f"{file.refused:,} of {file.read:,} rows of {file.file} were rejected, more than {self.share:.2%}"
            raise TooManyRejectsError(what, reject_path)
