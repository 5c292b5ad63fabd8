"""The peak, the overload, and what is over when it is over."""

from __future__ import annotations

import statistics

from perf.overload.asking import OK, REFUSED, Seen, Wanted, run
from perf.overload.stage import Stage

AT_ONCE = 64
"""Connections of the measurement of the peak, each of which asks again when it is answered."""
TIMES = 3
"""How many times of the peak are asked for."""
CALM = 0.5
"""The share of the peak that is asked for before and after."""
WARM_S, CALM_S = 1.0, 3.0
_WINDOW_S = 0.1


def measured(
    wanted: Wanted, stage: Stage, *, address: str, highest: int, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Each figure with its rounds."""
    seed = 1

    def ask(*phases: dict[str, float]) -> Seen:
        nonlocal seed
        seed += 1
        return run(wanted, address, stage.refusing, highest, seed, list(phases))

    def closed(refusals: float) -> Seen:
        return ask({"seconds": WARM_S + seconds, "closed": AT_ONCE, "refusals": refusals})

    # The peak with the stream of refusals decides how long the stream is, so it is approached.
    peak = closed(0).answered(WARM_S, WARM_S + seconds)
    for _ in range(2):
        peak = (peak + closed((TIMES - 1) * peak).answered(WARM_S, WARM_S + seconds)) / 2
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        at_peak = closed((TIMES - 1) * peak)
        peak = at_peak.answered(WARM_S, WARM_S + seconds)
        over = ask(
            {"seconds": CALM_S, "rate": CALM * peak},
            {"seconds": WARM_S + seconds, "rate": TIMES * peak},
            {"seconds": CALM_S, "rate": CALM * peak},
        )
        for name, value in _figures(peak, at_peak, over, seconds).items():
            figures.setdefault(name, []).append(round(value, 4))
    return figures


def _figures(peak: float, at_peak: Seen, over: Seen, seconds: float) -> dict[str, float]:
    begin, end = CALM_S + WARM_S, CALM_S + WARM_S + seconds
    loaded = over.between(begin, end)
    accepted = [took for _, took, status in loaded if status == OK]
    refused = [took for _, took, status in loaded if status == REFUSED]
    at_capacity = [took for _, took, _ in at_peak.between(WARM_S, WARM_S + seconds)]
    return {
        "peak a second": peak,
        "asked for a second": len(loaded) / seconds,
        "accepted a second": over.answered(begin, end),
        "accepted / peak": over.answered(begin, end) / peak,
        "p99 ms at the peak": _p99(at_capacity),
        "p99 ms of accepted": _p99(accepted),
        "accepted p99 / peak's": _p99(accepted) / _p99(at_capacity),
        "median ms of refused": statistics.median(refused) if refused else 0.0,
        "p99 ms of refused": _p99(refused),
        "recovery ms": _recovery_s(over, end) * 1000,
        "neither accepted nor refused": len(loaded) - len(accepted) - len(refused),
        "generator's cores at the peak": at_peak.cores,
        "generator's cores": over.cores,
    }


def _p99(took_ms: list[float]) -> float:
    return sorted(took_ms)[len(took_ms) * 99 // 100] if took_ms else 0.0


def _recovery_s(over: Seen, end: float) -> float:
    """From the load's end until the first tenth of a second from which on all is as before it.

    As before: everything is answered with 200, and half of it within what 99 of 100 took before.
    """
    usual = _p99([took for _, took, _ in over.between(WARM_S, CALM_S)])
    windows = int(CALM_S / _WINDOW_S)
    recovered = 0
    for window in range(windows):
        begin = end + window * _WINDOW_S
        due = over.between(begin, begin + _WINDOW_S)
        is_slow = bool(due) and statistics.median(took for _, took, _ in due) > usual
        if is_slow or any(status != OK for *_, status in due):
            recovered = window + 1
    return recovered * _WINDOW_S
