"""How a load tells that it is at work: bars on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Watcher(Protocol):
    """What a load tells of its way."""

    def step(self, what: str, total_bytes: int = 0) -> None:
        """``what`` begins: a file of so many bytes, or work in the database of unknown length."""

    def advanced(self, at_byte: int) -> None:
        """The file has been read up to there."""


class Silent:
    """Tells nothing."""

    def step(self, what: str, total_bytes: int = 0) -> None:
        """Nothing."""

    def advanced(self, at_byte: int) -> None:
        """Nothing."""


class Lines(Silent):
    """One line a step."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, what: str, total_bytes: int = 0) -> None:
        """Print the step's name."""
        size = f" ({total_bytes / 1e6:,.1f} MB)" if total_bytes else ""
        self._console.print(f"{what}{size}", highlight=False, markup=False, soft_wrap=True)


class Bars:
    """One bar a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def step(self, what: str, total_bytes: int = 0) -> None:
        """Fill the bar before, begin another."""
        self.close()
        self._task = self._progress.add_task(what, total=total_bytes or None)

    def advanced(self, at_byte: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=at_byte)

    def close(self) -> None:
        """Fill the last bar."""
        if self._task is not None:
            task = self._progress.tasks[self._task]
            self._progress.update(self._task, total=task.total or 1, completed=task.total or 1)


@contextmanager
def watching(console: Console, *, quiet: bool) -> Iterator[Watcher]:
    """The watcher that fits ``console``."""
    if quiet:
        yield Silent()
    elif not console.is_terminal:
        yield Lines(console)
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            bars = Bars(progress)
            yield bars
            bars.close()
