"""Whether a run kept its bounds, and at which pace users went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from perf.scenarios.settings import LoadSettings
from perf.scenarios.tally import Tally

FEWEST = 100
"""Answers of an operation from which on its own p95 is looked at."""


class Times(NamedTuple):
    """The answers of one operation after the warm-up. ``p95_ms``: as locust rounds it, to 1 ms, above 100 to 10."""

    name: str
    answers: int
    p95_ms: float


def broken(settings: LoadSettings, whole: Times, operations: list[Times], tally: Tally) -> Iterator[str]:
    """A sentence for each bound that was not kept."""
    if not whole.answers:
        yield "Nothing was answered after the warm-up: nothing was measured."
    for times in [whole, *(one for one in operations if one.answers >= FEWEST)]:
        if times.answers and times.p95_ms > settings.p95_ms:
            yield (
                f"{times.name}: 95 % of {times.answers:,} answers took up to {times.p95_ms:g} ms; "
                f"LOAD_P95_MS allows {settings.p95_ms:g}."
            )
    share = tally.failures / tally.requests if tally.requests else 0.0
    if share > settings.error_share:
        yield (
            f"{tally.failures:,} of {tally.requests:,} requests failed or were answered wrongly, {share:.2%}; "
            f"LOAD_ERROR_SHARE allows {settings.error_share:.2%}."
        )


def pace(tally: Tally) -> str:
    """How much slower the load was than one that does not wait for its answers."""
    return (
        f"Pace: {tally.pace:.1%} of that of users whose answers come at once; "
        f"pauses were {tally.lateness:.1%} longer than planned, because this machine was busy."
    )
