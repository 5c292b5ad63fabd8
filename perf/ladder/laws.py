"""Which page is asked for by Zipf's law, and which latencies stand for all."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

PERCENTILES = (50, 95, 99)


def popular(chance: random.Random, highest: int) -> int:
    """A page of 1 to ``highest``, the n-th most popular one 1/n times as often as the first: the law of ask.lua."""
    return int(math.exp(chance.random() * math.log(highest + 1))) * 7919 % highest + 1


def percentiles(latencies_ms: Sequence[float]) -> dict[str, float]:
    """``p50_ms``, ``p95_ms`` and ``p99_ms``; not a number where there are none."""
    ordered = sorted(latencies_ms)
    places = {f"p{share}_ms": len(ordered) * share // 100 for share in PERCENTILES}
    return {name: ordered[place] if ordered else math.nan for name, place in places.items()}
