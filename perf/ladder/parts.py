"""The parts of the system, the cores that they use, and the cores that they can have."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from perf.ladder.bottleneck import Use
from perf.ladder.quotas import Group

LOAD, EDGE, REPLICAS, POSTGRES, REST = "load generator", "edge", "replicas", "PostgreSQL", "everything else"
PARTS = (LOAD, EDGE, REPLICAS, POSTGRES)


@dataclass
class Part:
    """Processes, each with those that it started; ``limit`` is in cores, and ``groups`` are those of its quota."""

    name: str
    processes: Sequence[int]
    limit: float
    limited_by: str
    groups: Sequence[Group] = ()

    def cpu(self) -> dict[int, float]:
        """Seconds of CPU that each of its processes has used."""
        used = {}
        for first in self.processes:
            top = psutil.Process(first)
            for process in (top, *top.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    used[process.pid] = times.user + times.system
        return used

    def periods(self) -> tuple[int, int]:
        """Periods in which its groups wanted CPU, and those in which they were held back."""
        each = [group.periods() for group in self.groups]
        return sum(wanted for wanted, _ in each), sum(held for _, held in each)


@dataclass
class Used:
    """Of a time: ``cores`` in use by part, ``held`` the share of periods in which a part had used up its quota."""

    cores: dict[str, float]
    held: dict[str, float]
    machine: float


@dataclass
class Watch:
    """Looks at parts twice, and says what they used in between."""

    parts: Sequence[Part]
    _before: list[tuple[dict[int, float], tuple[int, int]]] = field(default_factory=list)
    _machine: float = 0
    _began: float = 0

    def begin(self) -> None:
        """Look for the first time."""
        self._before = [(part.cpu(), part.periods()) for part in self.parts]
        self._machine, self._began = _busy(), time.monotonic()

    def end(self) -> Used:
        """Look for the second time."""
        seconds = time.monotonic() - self._began
        machine = (_busy() - self._machine) / seconds
        cores, held = {}, {}
        for part, (before, periods) in zip(self.parts, self._before, strict=True):
            cores[part.name] = sum(now - before.get(pid, 0) for pid, now in part.cpu().items()) / seconds
            wanted, throttled = (now - then for now, then in zip(part.periods(), periods, strict=True))
            if wanted:
                held[part.name] = throttled / wanted
        return Used(cores, held, machine)


def _busy() -> float:
    """Seconds of CPU that the machine has used, all its cores together; what its host took from it is not in them."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq


def uses(parts: Sequence[Part], cores: dict[str, float]) -> dict[str, Use]:
    """What each part uses of what it can have; wrk and the arrivals are one thread."""
    known = {part.name: Use(cores[part.name], part.limit, part.limited_by) for part in parts}
    return {LOAD: Use(cores[LOAD], 1, "its one thread"), **known}
