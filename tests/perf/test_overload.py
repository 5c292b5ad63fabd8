"""``make bench-overload``, end to end and small: what it counts, and that an overload is refused and survived."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from perf.overload.asking import Seen
from perf.overload.measuring import CALM_S, _recovery_s
from tests.conftest import Requires

pytestmark = pytest.mark.edge

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--products", "300", "--hot", "0", "--rounds", "1", "--seconds", "1", "--idle", "500")


@pytest.fixture(scope="module")
def result(state: Path, requires: Requires) -> dict[str, Any]:
    """The figures that it came to."""
    for program in ("nginx", "wrk"):
        requires(program)
    command = [sys.executable, "-m", "perf.overload", "--state", str(state), "--json", *SMALL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_three_times_the_peak_is_asked_for_and_each_request_is_answered_or_refused(result: dict[str, Any]) -> None:
    for figures in result["overload"].values():
        (peak,), (asked,) = figures["peak a second"], figures["asked for a second"]
        assert peak > 0
        assert asked == pytest.approx(3 * peak, rel=0.2)
        assert figures["neither accepted nor refused"] == [0]


def test_some_is_answered_and_some_refused_under_an_overload(result: dict[str, Any]) -> None:
    for figures in result["overload"].values():
        assert figures["accepted a second"][0] > 0
        assert figures["p99 ms of refused"][0] > 0


def test_it_is_over_when_the_load_is(result: dict[str, Any]) -> None:
    assert [figures["recovery ms"][0] < CALM_S * 1000 for figures in result["overload"].values()] == [True, True]


def test_idle_connections_take_little_of_the_edge(result: dict[str, Any]) -> None:
    assert result["idle"]["connections"] == 500
    assert result["idle"]["MiB taken"] < 16


def test_nothing_is_left_running(state: Path, result: dict[str, Any]) -> None:
    assert result
    assert [
        p.pid for p in psutil.process_iter(["cmdline"]) if str(state) in " ".join(p.info.get("cmdline") or [])
    ] == []


def test_a_recovery_lasts_until_the_last_refusal_or_slow_tenth_of_a_second() -> None:
    calm = [(moment / 100, 5.0, 200) for moment in range(100, 300)]
    after = [(10 + moment / 100, 5.0, 200) for moment in range(300)]

    def changed(place: int, took: float, status: int, count: int) -> Seen:
        late = [(due, took, status) for due, *_ in after[place : place + count]]
        return Seen([*calm, *after[:place], *late, *after[place + count :]], 0, 0)

    assert _recovery_s(Seen([*calm, *after], 0, 0), 10) == 0
    assert _recovery_s(changed(25, 1.0, 503, 1), 10) == pytest.approx(0.3)
    assert _recovery_s(changed(40, 50.0, 200, 10), 10) == pytest.approx(0.5)
    # One that is slow among many is none.
    assert _recovery_s(changed(40, 50.0, 200, 1), 10) == 0
