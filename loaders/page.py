"""A page of a connection: which slice is asked for, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

Row_co = TypeVar("Row_co", covariant=True)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Window:
    """``size`` rows from the start of what is asked for, or, ``backward``, from its end; 1 to 100."""

    size: int
    backward: bool = False


class Page(NamedTuple, Generic[Row_co]):
    """Rows in the connection's order, and whether there are others on either side.

    With ``json``, the text of the array that shows them, ``rows`` are the first and the last one, if anything.
    """

    rows: Sequence[Row_co]
    has_previous: bool
    has_next: bool
    json: str | None = None


def page_of(rows: list[Row], window: Window, *, any_before: bool, any_after: bool) -> Page[Row]:
    """Make a page of the at most ``window.size + 1`` rows that were read in walking order.

    ``any_before`` and ``any_after`` say whether rows exist beyond the cursors that bound the walk.
    """
    more = len(rows) > window.size
    rows = rows[: window.size]
    if window.backward:
        return Page(rows[::-1], has_previous=more or any_before, has_next=any_after)
    return Page(rows, has_previous=any_before, has_next=more or any_after)
