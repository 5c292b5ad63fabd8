"""Which differences of two results are more than noise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perf.compare import Difference, compared, one_before
from perf.figures import Figure, figures, kind_of

ROOT = Path(__file__).resolve().parents[2]


def ladder(rates: list[float], p99: list[float]) -> dict[str, Any]:
    """A ladder's result of one rung."""
    cold = {"a second": rates, "p99 ms": p99, "errors": [0, 0, 0], "cores": {"edge": [0.1, 0.1, 0.1]}}
    rung = {"replicas": 1, "saturated": {"cold": cold}}
    return {"kind": "ladder", "machine": "2 cores", "climbs": [{"title": "With quotas", "rungs": [rung]}]}


COLD = "climbs / With quotas / rungs / replicas 1 / saturated / cold"


def words(new: dict[str, Any], old: dict[str, Any]) -> dict[str, str]:
    """What differs beyond the noise, by path."""
    return {one.path: one.word for one in compared(new, old) if one.word}


def test_medians_within_both_spreads_are_the_same() -> None:
    assert words(ladder([100, 110, 120], [5, 5, 5]), ladder([88, 92, 98], [5, 5, 5])) == {}


def test_medians_beyond_both_spreads_differ() -> None:
    new, old = ladder([100, 101, 102], [9, 9, 9.5]), ladder([80, 81, 82], [5, 5, 5.5])
    assert words(new, old) == {f"{COLD} / a second": "better", f"{COLD} / p99 ms": "worse"}


def test_under_three_percent_is_the_same_however_alike_the_rounds_are() -> None:
    assert words(ladder([102.9, 102.9, 102.9], [5, 5, 5]), ladder([100, 100, 100], [5, 5, 5])) == {}


def test_errors_where_there_were_none_are_worse() -> None:
    difference = Difference("errors", Figure(4, 1, -1), Figure(0, 0, -1))
    assert (difference.word, difference.ratio) == ("worse", float("inf"))


def test_what_has_no_better_way_differs() -> None:
    assert Difference("cores", Figure(0.4, 0.01, 0), Figure(0.2, 0.01, 0)).word == "differs"


def test_figures_of_pages_take_their_spread_from_the_slowest_and_the_fastest_round() -> None:
    pages = {"gateway": {"a second": 100.0, "p99 ms": 8.0, "slowest a second": 95.0, "fastest a second": 105.0}}
    assert figures({"pages": pages}) == {
        "pages / gateway / a second": Figure(100.0, 10.0, 1),
        "pages / gateway / p99 ms": Figure(8.0, 0.8, -1),
    }


def test_figures_of_the_edge_take_their_spread_from_the_ratio_of_each_round() -> None:
    case = {
        "title": "alike",
        "edge": {"cpu_us": 20.0},
        "plain": {"cpu_us": 22.0},
        "cheaper_each_round": [1.0, 1.0, 1.1],
    }
    assert figures({"cases": [case], "rounds": 3}) == {
        "cases / alike / cheaper_each_round": Figure(1.0, pytest.approx(0.1), 1),
        "cases / alike / edge / cpu_us": Figure(20.0, pytest.approx(2.0), -1),
        "cases / alike / plain / cpu_us": Figure(22.0, pytest.approx(2.2), 0),
    }


def test_results_of_different_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="one is of the kind ladder, the other of the kind edge"):
        compared(ladder([1], [1]), {"cases": []})


def test_what_was_not_measured_here_has_no_kind() -> None:
    with pytest.raises(ValueError, match="no result of make ladder"):
        kind_of({"rows": 5})


def test_the_one_before_is_the_newest_older_one_of_the_same_name(tmp_path: Path) -> None:
    for name in ("pages-2026-01-01", "pages-2026-02-01", "pages-light-2026-02-02", "pages-2026-03-01"):
        (tmp_path / f"{name}.json").touch()
    assert one_before(tmp_path / "pages-2026-03-01.json") == tmp_path / "pages-2026-02-01.json"


@pytest.mark.parametrize(("rates", "code"), [([80, 81, 82], 1), ([100, 101, 102], 0), ([120, 121, 122], 0)])
def test_the_program_ends_with_1_where_a_figure_got_worse(tmp_path: Path, rates: list[float], code: int) -> None:
    (tmp_path / "ladder-2026-01-01.json").write_text(json.dumps(ladder([100, 101, 102], [5, 5, 5])))
    (tmp_path / "ladder-2026-01-02.json").write_text(json.dumps(ladder(rates, [5, 5, 5])))
    command = [sys.executable, "-m", "perf.compare", str(tmp_path / "ladder-2026-01-02.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
