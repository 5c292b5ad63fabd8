"""Rows that were not loaded, each with its reason; and what of them may be shown."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from etl.lines import printable
from graphql_api.errors import OperatorError

COLUMNS = ("file", "line", "column", "value", "reason", "row")
_SHOWN = 200
# Words and fields, and not "word@word": looking for an @ from every letter on takes minutes on a long line.
_WORD = re.compile(r'[^",\s]+')
_FIELD = re.compile(r'[^",\r\n]+')


class Rejection(NamedTuple):
    """A row that was not loaded. ``column`` is empty where the row as a whole is the trouble."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    row: str
    group: str
    """The reason without the numbers that differ from row to row."""


class Writer(Protocol):
    """What rejections are handed to."""

    def __call__(self, rejection: Rejection) -> None:
        """Keep ``rejection``."""


def masked(address: str) -> str:
    """An e-mail address of which only the first letters are left: ``f***@g***``."""
    name, at, domain = address.strip('" \t\r\n').partition("@")
    return f"{name[:1]}***{at}{domain[:1]}***" if at else f"{name[:1]}***"


def without_addresses(text: str) -> str:
    """``text`` with everything that looks like an e-mail address masked."""
    return _WORD.sub(_masked_if_address, text)


def without_fields_of_addresses(text: str) -> str:
    """A broken row, whose columns cannot be told apart, with the whole of what surrounds an @ masked."""
    return _FIELD.sub(_masked_if_address, text)


def _masked_if_address(found: re.Match[str]) -> str:
    return masked(found[0]) if "@" in found[0] else found[0]


def shortened(value: str) -> str:
    """``value`` as reports show it: at most 200 characters, no addresses."""
    value = without_addresses(value)
    return printable(value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…")


@contextmanager
def reject_file(path: Path) -> Iterator[Writer]:
    """Write rejections to ``path`` as CSV with the columns ``COLUMNS``, over what was there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole rows of shoppers' reviews, if without their addresses: for the operator alone.
        path.touch(mode=0o600)
        stream = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise OperatorError(
            f"The reject file {path} cannot be written ({error.strerror}): name another with --rejects."
        ) from error
    with stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(COLUMNS)

        def write(rejection: Rejection) -> None:
            try:
                rows.writerow(rejection[: len(COLUMNS)])
            except OSError as error:
                raise OperatorError(f"The reject file {path} cannot be written: {error.strerror}.") from error

        yield write
