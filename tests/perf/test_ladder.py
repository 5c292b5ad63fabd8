"""``make ladder``, end to end: two rungs over a small catalogue, and the files that come out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from perf.ladder.quotas import NoQuotasError, quotas
from tests.conftest import Requires

pytestmark = pytest.mark.edge

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--products", "300", "--hot", "0", "--rounds", "1", "--seconds", "1", "--warm-seconds", "1", "--shares", "0.8")


@pytest.fixture(scope="module")
def said(state: Path, requires: Requires) -> str:
    """What a ladder of two rungs said."""
    for program in ("nginx", "wrk", "h2load"):
        requires(program)
    command = [sys.executable, "-m", "perf.ladder", "--state", str(state), "--most", "2", *SMALL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def result(state: Path, said: str) -> dict[str, Any]:
    """The figures that it wrote."""
    assert said
    (written,) = (state / "ladder").glob("ladder-*.json")
    found: dict[str, Any] = json.loads(written.read_text())
    return found


def can_limit() -> bool:
    """Whether this machine lets us make control groups."""
    try:
        with quotas():
            return True
    except NoQuotasError:
        return False


def test_each_climb_has_rungs_of_one_and_two_replicas_and_no_errors(result: dict[str, Any]) -> None:
    climbs = {climb["title"]: [rung["replicas"] for rung in climb["rungs"]] for climb in result["climbs"]}
    titles = ["Without quotas", "With quotas"] if can_limit() else ["Without quotas"]
    assert climbs == {title: [1, 2] for title in titles}
    loads = [figures for climb in result["climbs"] for rung in climb["rungs"] for figures in rung["saturated"].values()]
    assert [sum(figures["errors"]) for figures in loads] == [0] * len(loads)


def test_reads_that_hit_are_answered_by_the_cache_and_those_that_miss_by_replicas(result: dict[str, Any]) -> None:
    for climb in result["climbs"]:
        for rung in climb["rungs"]:
            (hit,) = rung["saturated"]["hot"]["cache"]["hit"]
            (missed,) = rung["saturated"]["cold"]["cache"]["miss"]
            assert (hit, missed) == (1.0, 1.0)


def test_no_part_uses_more_than_its_quota(result: dict[str, Any]) -> None:
    if not result["quotas"]["used"]:
        pytest.skip(result["quotas"]["said"])
    for rung in result["climbs"][-1]["rungs"]:
        cold = rung["saturated"]["cold"]
        used = {part: cold["cores"][part][0] / cold["limits"][part] for part in ("edge", "replicas", "PostgreSQL")}
        # The kernel hands quotas out to each core in advance, and some of that is used after the period has ended.
        assert [part for part, share in used.items() if share > 1.2] == []


def test_arrivals_are_answered_at_their_rate(result: dict[str, Any]) -> None:
    for rates in result["climbs"][-1]["rungs"][-1]["arrivals"].values():
        for figures in rates:
            (answered,) = figures["a second"]
            assert (figures["errors"], figures["share"]) == ([0], 0.8)
            assert answered == pytest.approx(figures["rate"], rel=0.25)


def test_users_of_locust_and_requests_of_h2load_are_answered_too(result: dict[str, Any]) -> None:
    for rung in result["climbs"][-1]["rungs"]:
        users, hits = rung["others"].values()
        (answered,) = hits["a second"]
        assert (users["errors"], hits["errors"]) == ([0], [0])
        assert users["a second"][0] > 10
        assert answered == pytest.approx(0.8 * rung["saturated"]["hot"]["a second"][0], rel=0.25)
        assert hits["cache"]["hit"] == [1.0]


def test_it_says_what_limits_each_rung_and_why_it_ends(said: str, result: dict[str, Any]) -> None:
    for climb in result["climbs"]:
        assert f"It ends: {climb['ended']}." in said
        assert climb["bottleneck"]["reading"]
    assert result["climbs"][-1]["bottleneck"]["reading"] in said


def test_the_page_holds_its_pictures_and_needs_nothing_else(state: Path, result: dict[str, Any]) -> None:
    (page,) = (state / "ladder").glob("ladder-*.html")
    text = page.read_text()
    assert text.count('src="data:image/svg+xml;base64,') == 3
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert result["machine"] in text


def test_there_is_a_png_of_each_picture(state: Path, result: dict[str, Any]) -> None:
    assert result
    pictures = sorted((state / "ladder").glob("ladder-*.png"))
    assert [picture.stem.rpartition("-")[2] for picture in pictures] == ["cpu", "latency", "throughput"]
    assert {picture.read_bytes()[:8] for picture in pictures} == {b"\x89PNG\r\n\x1a\n"}


def test_nothing_is_left_running(state: Path, said: str) -> None:
    assert said
    assert [
        p.pid for p in psutil.process_iter(["cmdline"]) if str(state) in " ".join(p.info.get("cmdline") or [])
    ] == []


def test_a_result_beside_itself_has_no_difference(state: Path, result: dict[str, Any]) -> None:
    assert result
    (written,) = (state / "ladder").glob("ladder-*.json")
    command = [sys.executable, "-m", "perf.compare", str(written), str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 are better, 0 are worse, 0 differ" in done.stdout
