"""What the parts tell of themselves: the edge what its cache did, replicas who waits for a connection."""

from __future__ import annotations

import json
import re
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

STATES = ("hit", "same", "waited", "miss", "pass", "stale", "failed", "shed")
_WAITING = re.compile(r"^reviews_pool_waiting(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_LOOK_SECONDS = 0.5
_IDLE_SECONDS, _IDLE_LOOK_SECONDS = 15, 0.02


def cache_counts(status: str) -> dict[str, int]:
    """How many requests an edge has answered, by what happened. ``status`` is its status page's address."""
    with urllib.request.urlopen(f"http://{status}/status", timeout=10) as page:
        counts: dict[str, int] = json.load(page)["counts"]
    return {state: counts[state] for state in STATES}


def wait_until_idle(status: str) -> None:
    """Return when an edge has no request under way at a replica: those of the last run go on when its clients leave."""
    deadline = time.monotonic() + _IDLE_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://{status}/status", timeout=10) as page:
            if not any(replica["requests"] for replica in json.load(page)["replicas"]):
                return
        time.sleep(_IDLE_LOOK_SECONDS)


def cache_shares(before: dict[str, int], after: dict[str, int]) -> dict[str, float]:
    """The share of each state among the requests in between."""
    counted = {state: after[state] - before[state] for state in STATES}
    total = sum(counted.values()) or 1
    return {state: counted[state] / total for state in STATES}


def pool_waiting(replica: str) -> float | None:
    """Who waits for a connection of a replica's pools now; None where it has no metrics that say so."""
    try:
        with urllib.request.urlopen(f"http://{replica}/metrics", timeout=5) as page:
            found = _WAITING.findall(page.read().decode())
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None
    return sum(map(float, found)) if found else None


class PoolWatch:
    """Asks replicas twice a second how many requests wait for a connection, until ``end``."""

    def __init__(self, replicas: Sequence[str]) -> None:
        self._replicas = replicas
        self._seen: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def begin(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> float | None:
        """How many waited on average, all replicas together."""
        self._over.set()
        self._thread.join()
        return statistics.mean(self._seen) if self._seen else None

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            waiting = [pool_waiting(replica) for replica in self._replicas]
            known = [number for number in waiting if number is not None]
            if len(known) < len(waiting):
                return
            self._seen.append(sum(known))
