"""How a load tells that it is at work: bars on a terminal, lines elsewhere, JSON for machines, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from etl.report import FileReport

Form = Literal["auto", "bars", "lines", "json", "none"]
FORMS: tuple[Form, ...] = ("auto", "bars", "lines", "json", "none")
_EVERY_SECONDS = 10.0
_JSON_EVERY_SECONDS = 1.0


class Watcher(Protocol):
    """What a load tells of its way."""

    def step(self, what: str, total: int = 0, file: FileReport | None = None) -> None:
        """``what`` begins: ``file`` of so many bytes, or so many pieces of work, or work of unknown length."""

    def advanced(self, done: int) -> None:
        """So many bytes of the file have been read, or pieces of work done."""

    def say(self, sentence: str) -> None:
        """Something the operator should know."""


class Silent:
    """Tells nothing."""

    def step(self, what: str, total: int = 0, file: FileReport | None = None) -> None:
        """Nothing."""

    def advanced(self, done: int) -> None:
        """Nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""


class _Pace:
    """Rows a second and time left of one step."""

    def __init__(self, total: int, file: FileReport | None) -> None:
        self.total = total
        self.file = file
        self.begun = self.told = time.monotonic()
        self.done = 0

    @property
    def rows_per_second(self) -> int:
        passed = time.monotonic() - self.begun
        return 0 if self.file is None or not passed else round(self.file.read / passed)

    @property
    def seconds_left(self) -> float | None:
        passed = time.monotonic() - self.begun
        return None if not self.done else max(0.0, passed * (self.total - self.done) / self.done)

    def is_due(self, every: float) -> bool:
        now = time.monotonic()
        if now - self.told < every:
            return False
        self.told = now
        return True


class Lines(Silent):
    """One line a step, and one every ten seconds of a long one."""

    def __init__(self, console: Console, *, every_seconds: float = _EVERY_SECONDS) -> None:
        self._console = console
        self._every_seconds = every_seconds
        self._pace = _Pace(0, None)

    def step(self, what: str, total: int = 0, file: FileReport | None = None) -> None:
        """Print the step's name."""
        self._pace = _Pace(total, file)
        self.say(f"{what} ({total / 1e6:,.1f} MB)" if file is not None else what)

    def advanced(self, done: int) -> None:
        """Print how far it is, now and then."""
        pace = self._pace
        pace.done = done
        if not pace.is_due(self._every_seconds):
            return
        left = "" if pace.seconds_left is None else f", {pace.seconds_left:,.0f} s left"
        rows = "" if pace.file is None else f", {pace.file.read:,} rows, {pace.rows_per_second:,} a second"
        self.say(f"  {done / (pace.total or 1):.0%}{rows}{left}")

    def say(self, sentence: str) -> None:
        """Print it."""
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)


class Json(Silent):
    """One JSON object a line: ``step``, ``progress`` once a second, ``message``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pace = _Pace(0, None)
        self._what = ""

    def step(self, what: str, total: int = 0, file: FileReport | None = None) -> None:
        """Write that it begins."""
        self._pace, self._what = _Pace(total, file), what
        self._write(event="step", step=what, total=total)

    def advanced(self, done: int) -> None:
        """Write how far it is."""
        pace = self._pace
        pace.done = done
        if pace.is_due(_JSON_EVERY_SECONDS):
            left = None if pace.seconds_left is None else round(pace.seconds_left, 1)
            rows = {} if pace.file is None else {"rows": pace.file.read, "rows_per_second": pace.rows_per_second}
            self._write(event="progress", step=self._what, done=done, total=pace.total, **rows, seconds_left=left)

    def say(self, sentence: str) -> None:
        """Write it."""
        self._write(event="message", message=sentence)

    def _write(self, **values: object) -> None:
        self._stream.write(json.dumps(values) + "\n")
        self._stream.flush()


class Bars:
    """One bar a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._pace = _Pace(0, None)

    def step(self, what: str, total: int = 0, file: FileReport | None = None) -> None:
        """Fill the bar before, begin another."""
        self.close()
        self._pace = _Pace(total, file)
        self._task = self._progress.add_task(what, total=total or None, pace="")

    def advanced(self, done: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, pace=self._told())

    def say(self, sentence: str) -> None:
        """Print it above the bars."""
        self._progress.console.print(sentence, highlight=False, markup=False)

    def close(self) -> None:
        """Fill the last bar."""
        if self._task is not None:
            total = self._progress.tasks[self._task].total or 1
            self._progress.update(self._task, total=total, completed=total, pace=self._told())

    def _told(self) -> str:
        file = self._pace.file
        return "" if file is None else f"{file.read:,} rows, {self._pace.rows_per_second:,}/s"


@contextmanager
def watching(console: Console, *, form: Form = "auto") -> Iterator[Watcher]:
    """The watcher of this form; ``auto`` is what fits ``console``."""
    if form == "none":
        yield Silent()
    elif form == "json":
        yield Json(sys.stderr)
    elif form == "lines" or (form == "auto" and not console.is_terminal):
        yield Lines(console)
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[pace]}", justify="right"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=console) as progress:
            bars = Bars(progress)
            yield bars
            bars.close()
