"""How the edge is asked: by connections that each wait for their answer, or by arrivals that wait for nobody."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from graphql_api.errors import OperatorError
from perf.load import hash_of
from perf.servers import document

_SCRIPT = Path(__file__).with_name("ask.lua")
_VARIABLES, _OWN = '{"id":', ',"asked":"'
_OPEN_CONNECTIONS = 256
"""Enough that the queue of an overload forms at the edge and the replicas."""
_WARM_SECONDS = 0.5
"""Arrivals before the measured ones, so that these find the queue of their rate."""


@dataclass(frozen=True)
class Load:
    """What is asked for: pages of 1 to ``highest``, ``law`` being "even" or "zipf", of an edge, ``host:port``.

    Of an "even" one no two requests are the same to a cache: each has a variable that the document does not know, with
    a value of its own.
    """

    address: str
    law: str
    highest: int

    def request(self) -> tuple[str, str]:
        """What stands before the number of the product in a request, and behind it."""
        path = f"/graphql/p/{hash_of(document('ProductPage'))}/ProductPage?variables="
        return (
            f"GET {path}{quote(_VARIABLES)}",
            f"%7D HTTP/1.1\r\nHost: {self.address}\r\nAccept: application/json\r\n\r\n",
        )

    @staticmethod
    def mark() -> str:
        """The beginning of that variable; no other run has the same."""
        return f"{quote(_OWN)}{time.time_ns()}-"


@dataclass(frozen=True)
class Seen:
    """What the asker saw of one run: answers and errors, latencies in ms, and the CPU that it used itself.

    ``told`` says what errors there were, where the asker knows it.
    """

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int
    cpu_seconds: float
    told: tuple[str, ...] = ()


def closed(load: Load, *, connections: int, seconds: int, seed: int) -> Seen:
    """Ask over so many connections by wrk, each asking again when it is answered. For "each", ``seed`` is the first."""
    before, after = load.request()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(_SCRIPT)]
    command += [f"http://{load.address}/", "--", before, after, load.law, str(load.highest), str(seed), load.mark()]
    used = cpu_of_children()
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode:
        raise OperatorError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return Seen(**_last_line(done.stdout), cpu_seconds=cpu_of_children() - used)


def arriving(load: Load, *, rate: float, seconds: float, seed: int, mark: Callable[[str], None]) -> Seen:
    """Let requests arrive at ``rate`` a second. ``mark`` is told "begin" and "end" of what is measured."""
    before, after = load.request()
    given = {
        "address": load.address,
        "law": load.law,
        "highest": load.highest,
        "before": before,
        "after": after,
        "mark": load.mark(),
        "rate": rate,
        "warm": _WARM_SECONDS,
        "seconds": seconds,
        "seed": seed,
        "connections": _OPEN_CONNECTIONS,
    }
    options = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, "-m", "perf.ladder.arrivals", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(line.strip())
            if told[-1] in {"begin", "end"}:
                mark(told[-1])
    if process.returncode:
        raise OperatorError("The arrivals ended with an error; the lines above say why.")
    return Seen(**_last_line(told[-1]), seconds=seconds)


def cpu_of_children() -> float:
    """Seconds of CPU of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last_line(said: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return told
