"""When a climb ends."""

from __future__ import annotations

from perf.ladder.climb import ending
from perf.ladder.rungs import rounds_of


def test_one_rung_never_ends_a_climb() -> None:
    assert ending([400.0], most=8) is None


def test_it_goes_on_while_another_replica_adds_three_percent() -> None:
    assert ending([400.0, 800.0, 824.0], most=8) is None


def test_it_ends_when_another_replica_adds_less() -> None:
    assert ending([400.0, 800.0, 823.0], most=8) == "replica 3 changed throughput by +2.9%, which is under 3%"


def test_it_ends_when_another_replica_takes_away() -> None:
    assert ending([400.0, 390.0], most=8) == "replica 2 changed throughput by -2.5%, which is under 3%"


def test_it_ends_with_the_most_replicas() -> None:
    assert ending([400.0, 800.0], most=2) == "2 replicas are as many as were asked for, and the last one still helped"


def test_rounds_become_lists_of_what_each_found() -> None:
    rounds = [{"a second": 1, "cores": {"edge": 0.1}, "pool waiting": 2}, {"a second": 3, "cores": {"edge": 0.2}}]
    assert rounds_of(rounds) == {"a second": [1, 3], "cores": {"edge": [0.1, 0.2]}}
