"""One rung: so many replicas, asked in every way, each several times."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from perf.ladder.bottleneck import bottleneck
from perf.ladder.load import Load, Seen, arriving, closed
from perf.ladder.others import at_rate, users
from perf.ladder.parts import LOAD, REST, Used, Watch, uses
from perf.ladder.stage import Stage
from perf.ladder.told import PoolWatch, cache_counts, cache_shares, wait_until_idle

LAWS = {"cold": "even", "hot": "zipf"}
SHARES = (0.5, 0.8, 0.95, 1.1)
"""Rates of arrivals, of what was answered at most."""
_SHARE_OF_H2LOAD = 0.8


@dataclass(frozen=True)
class Plan:
    """How long and how often is measured."""

    rounds: int
    seconds: int
    warm_seconds: int
    connections: int
    shares: tuple[float, ...] = SHARES


class Measurement:
    """One measurement of one load, from ``begin`` to ``end``."""

    def __init__(self, stage: Stage, load: str) -> None:
        self._status = stage.edges[load].status
        wait_until_idle(self._status)
        self._watch = Watch(stage.parts(load))
        self._pools = PoolWatch([replica.address for replica in stage.replicas])

    def mark(self, word: str) -> None:
        """Begin, or end."""
        if word == "begin":
            self._counts = cache_counts(self._status)
            self._pools.begin()
            self._watch.begin()
        else:
            self._used = self._watch.end()
            self._waiting = self._pools.end()
            self._shares = cache_shares(self._counts, cache_counts(self._status))

    def figures(self, seen: Seen) -> dict[str, Any]:
        """Throughput, latencies, errors, cores and CPU an answer by part, cache and pool."""
        used: Used = self._used
        cores = {LOAD: seen.cpu_seconds / seen.seconds, **used.cores}
        cores[REST] = max(0.0, used.machine - sum(cores.values()))
        a_second = seen.requests / seen.seconds
        return {
            "a second": a_second,
            "p50 ms": seen.p50_ms,
            "p95 ms": seen.p95_ms,
            "p99 ms": seen.p99_ms,
            "errors": seen.errors,
            "cores": cores,
            "CPU ms each": {part: 1000 * part_cores / max(a_second, 1) for part, part_cores in cores.items()},
            "held back": used.held,
            "cache": self._shares,
            **({} if self._waiting is None else {"pool waiting": self._waiting}),
        }


def load_of(stage: Stage, name: str) -> Load:
    """The load of that name: where it goes, and by which law."""
    return Load(stage.edges[name].listen, LAWS[name], stage.catalogue.products)


def saturated(stage: Stage, name: str, plan: Plan) -> dict[str, Any]:
    """What is answered at most: connections that ask again as soon as they are answered."""
    rounds = []
    for seed in range(plan.rounds):
        measurement = Measurement(stage, name)
        measurement.mark("begin")
        seen = closed(load_of(stage, name), connections=plan.connections, seconds=plan.seconds, seed=seed + 1)
        measurement.mark("end")
        rounds.append(measurement.figures(seen))
    together = rounds_of(rounds)
    medians = {part: statistics.median(cores) for part, cores in together["cores"].items()}
    used = uses(stage.parts(name), medians)
    found = bottleneck(used, machine=sum(medians.values()), cores=psutil.cpu_count() or 1)
    return {
        **together,
        "limits": {part: use.limit for part, use in used.items()},
        "bottleneck": {"part": found.part, "reading": found.reading},
    }


def at_rates(stage: Stage, name: str, plan: Plan, capacity: float) -> list[dict[str, Any]]:
    """What arrivals see at shares of the capacity, answers a second."""
    found = []
    for share in plan.shares:
        rounds = []
        for seed in range(plan.rounds):
            measurement = Measurement(stage, name)
            rate = share * capacity
            seen = arriving(
                load_of(stage, name), rate=rate, seconds=plan.seconds, seed=seed + 100, mark=measurement.mark
            )
            rounds.append(measurement.figures(seen))
        found.append({"share": share, "rate": rate, **rounds_of(rounds)})
    return found


def by_others(stage: Stage, plan: Plan, hot_capacity: float) -> dict[str, dict[str, Any]]:
    """What locust's users see, of an edge whose cache is small; and h2load, of hits at 80 % of what is answered."""
    seen: dict[str, tuple[str, Callable[[Load, int], Seen]]] = {
        "users, by locust": ("cold", lambda load, _: users(load, seconds=plan.seconds * 2)),
        f"hot, {_SHARE_OF_H2LOAD:.0%} by h2load": (
            "hot",
            lambda load, seed: at_rate(load, rate=_SHARE_OF_H2LOAD * hot_capacity, seconds=plan.seconds, seed=seed),
        ),
    }
    found = {}
    for name, (load, ask) in seen.items():
        rounds, told = [], []
        for seed in range(plan.rounds):
            measurement = Measurement(stage, load)
            measurement.mark("begin")
            answers = ask(load_of(stage, load), seed + 200)
            measurement.mark("end")
            rounds.append(measurement.figures(answers))
            told += answers.told
        found[name] = {**rounds_of(rounds), **({"told": told} if told else {})}
    return found


def rounds_of(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The same figures, each as a list with what every round found."""
    return {
        name: rounds_of([one[name] for one in rounds]) if isinstance(value, dict) else [one[name] for one in rounds]
        for name, value in rounds[0].items()
        if all(name in one for one in rounds)
    }
