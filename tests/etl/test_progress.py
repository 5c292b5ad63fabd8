"""How a load tells that it is at work."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from rich.console import Console

from etl.progress import Form, Lines, watching
from etl.report import FileReport


def told(form: Form, *, terminal: bool) -> str:
    """What is printed of a file of 2,000 bytes and 30 rows, half of which have been read."""
    stream = io.StringIO()
    with watching(Console(file=stream, force_terminal=terminal, width=120), form=form) as watcher:
        file = FileReport("reviews.csv", "reviews")
        watcher.step("Reading reviews.csv", 2000, file)
        file.rows = 30
        time.sleep(0.02)
        watcher.advanced(1000)
        watcher.say("Something to know.")
    return stream.getvalue()


def test_a_terminal_gets_a_bar_with_rows_and_their_rate() -> None:
    printed = told("auto", terminal=True)

    assert "Reading reviews.csv" in printed
    assert "30 rows, " in printed
    assert "/s" in printed
    assert "Something to know." in printed


def test_a_file_gets_a_line_a_step() -> None:
    assert told("auto", terminal=False) == "Reading reviews.csv (0.0 MB)\nSomething to know.\n"


def test_nothing_is_told_where_nothing_is_asked_for() -> None:
    assert told("none", terminal=True) == ""


def test_machines_get_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    told("json", terminal=False)

    assert [json.loads(line) for line in capsys.readouterr().err.splitlines()] == [
        {"event": "step", "step": "Reading reviews.csv", "total": 2000},
        {"event": "message", "message": "Something to know."},
    ]


def test_a_long_step_tells_now_and_then_how_far_it_is() -> None:
    stream = io.StringIO()
    lines = Lines(Console(file=stream, width=120), every_seconds=0.01)
    file = FileReport("reviews.csv", "reviews")
    lines.step("Reading reviews.csv", 2_000_000, file)
    file.rows = 3000
    time.sleep(0.02)
    lines.advanced(500_000)
    lines.advanced(500_001)

    first, second = stream.getvalue().splitlines()
    assert first == "Reading reviews.csv (2.0 MB)"
    assert re.fullmatch(r"  25%, 3,000 rows, [0-9,]+ a second, [0-9]+ s left", second)
