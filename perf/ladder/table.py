"""The table of a climb, as lines for a terminal."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from perf.ladder.parts import PARTS, REST

KEPT = ("hit", "same", "waited")
"""States of the cache in which no replica was asked."""
_SHOWN = {"load generator": "asker", "everything else": "rest"}


def middle(rounds: Sequence[float]) -> float:
    """The median of the rounds."""
    return statistics.median(rounds)


def spread(rounds: Sequence[float]) -> str:
    """The lowest and the highest of the rounds."""
    return f"{min(rounds):,.0f} to {max(rounds):,.0f}"


def kept(figures: dict[str, Any]) -> float:
    """The share of requests that the cache answered."""
    return sum(middle(figures["cache"][state]) for state in KEPT)


def head() -> str:
    """The names of the columns, and their units."""
    parts = "".join(f"{_SHOWN.get(part, part):>11}" for part in (*PARTS, REST))
    return (
        f"\n{'':26}{'':>9}{'':>17}{'latency, ms':>23}{'':>8}{'cores in use':>29}\n"
        f"{'replicas, load':26}{'reads/s':>9}{'of the rounds':>17}{'p50':>8}{'p95':>8}{'p99':>8}{'errors':>8}{parts}"
        f"{'kept':>7}   bottleneck"
    )


def lines(rung: dict[str, Any]) -> Iterator[str]:
    """The lines of one rung: what it answers at most, and what arrivals see."""
    for load, figures in rung["saturated"].items():
        line = _line(f"{rung['replicas']}  {load}, as fast as it can", figures)
        yield f"{line}   {figures['bottleneck']['part']}"
    for load, rates in rung.get("arrivals", {}).items():
        for figures in rates:
            yield _line(f"   {load}, {figures['rate']:,.0f}/s ({figures['share']:.0%})", figures)
    for name, figures in rung.get("others", {}).items():
        yield _line(f"   {name}", figures)
        yield from (f"      {error}" for error in figures.get("told", ()))


def _line(name: str, figures: dict[str, Any]) -> str:
    latencies = "".join(f"{middle(figures[name]):8.1f}" for name in ("p50 ms", "p95 ms", "p99 ms"))
    cores = "".join(f"{middle(figures['cores'][part]):11.2f}" for part in (*PARTS, REST))
    return (
        f"{name:26}{middle(figures['a second']):9,.0f}{spread(figures['a second']):>17}{latencies}"
        f"{sum(figures['errors']):8}{cores}{kept(figures):7.1%}"
    )
