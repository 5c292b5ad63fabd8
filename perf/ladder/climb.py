"""The climb: one replica more on every rung, added while the system is asked, until another one adds nothing."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf.ladder.load import closed
from perf.ladder.rungs import Plan, at_rates, by_others, load_of, saturated
from perf.ladder.stage import Stage

LEAST_GAIN = 0.03
"""Another replica that adds less than this is the last."""
LOADS = ("cold", "hot")

Rung = dict[str, Any]
Say = Callable[[Rung], None]


def climb(stage: Stage, plan: Plan, *, most: int, with_rates: bool, say: Say) -> dict[str, Any]:
    """Climb from the one replica that runs; ``say`` takes each rung. Its shape is that of the result's ``climbs``."""
    rungs: list[Rung] = []
    while True:
        rung: Rung = {"replicas": len(stage.replicas)}
        if not rungs:
            closed(load_of(stage, "cold"), connections=plan.connections, seconds=plan.warm_seconds, seed=0)
        else:
            rung["errors while it joined"] = _added_under_load(stage, plan)
            rung["replicas"] = len(stage.replicas)
        rung["saturated"] = {name: saturated(stage, name, plan) for name in LOADS}
        if with_rates:
            rung["arrivals"] = {"cold": at_rates(stage, "cold", plan, answered(rung))}
            hot = statistics.median(rung["saturated"]["hot"]["a second"])
            rung["others"] = by_others(stage, plan, hot)
        rungs.append(rung)
        ended = ending([answered(one) for one in rungs], most)
        if with_rates and ended is not None:
            rung["arrivals"]["hot"] = at_rates(stage, "hot", plan, hot)
        say(rung)
        if ended is not None:
            break
    return {"rungs": rungs, "ended": ended, "bottleneck": rungs[-1]["saturated"]["cold"]["bottleneck"]}


def answered(rung: Rung) -> float:
    """The reads that miss which a rung answers a second: the median of its rounds."""
    return statistics.median(rung["saturated"]["cold"]["a second"])


def ending(throughputs: Sequence[float], most: int) -> str | None:
    """Why no replica is added after these rungs; None where one is. ``most`` is how many there may be."""
    if len(throughputs) > 1:
        gain = throughputs[-1] / throughputs[-2] - 1
        if gain < LEAST_GAIN:
            return f"replica {len(throughputs)} changed throughput by {gain:+.1%}, which is under {LEAST_GAIN:.0%}"
    if len(throughputs) >= most:
        return f"{most} replicas are as many as were asked for, and the last one still helped"
    return None


def _added_under_load(stage: Stage, plan: Plan) -> int:
    """Add a replica while the others are asked, and warm it up; the requests that failed meanwhile."""
    errors = [0]
    warm = threading.Event()

    def ask() -> None:
        while not warm.is_set():
            seen = closed(load_of(stage, "cold"), connections=plan.connections, seconds=1, seed=errors[0])
            errors[0] += seen.errors

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        stage.add_replica()
        # Within a quota it would be slow for the first 5 s: plans are compiled, connections opened, caches filled.
        time.sleep(plan.warm_seconds)
        stage.limit_replicas()
    finally:
        warm.set()
        asking.join()
    return errors[0]
