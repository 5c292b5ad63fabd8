"""The same rung as two public programs see it: locust's users, who look into every answer, and h2load at a rate."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from graphql_api.errors import OperatorError
from perf.ladder.laws import PERCENTILES, percentiles, popular
from perf.ladder.load import Load, Seen, cpu_of_children

USERS = 64
"""Users of locust, who do not pause: each asks again when it has looked at its answer."""
H2LOAD_CONNECTIONS = 64
_LOCUST = Path(__file__).parents[1] / "locustfile.py"
_ASKED_FOR = 2_000
_WARM_S = 1
_DRAWN = 20_000
_OK = 200


def users(load: Load, *, seconds: int) -> Seen:
    """Let shoppers and visitors of categories ask by locust: product pages, next pages, sorts, stars, searches, cards.

    A wrong answer is an error, as one that does not come. Raises ``OperatorError``.
    """
    shares = {"LOAD_SHOPPER": "80", "LOAD_CATEGORY": "20", "LOAD_WRITER": "0", "LOAD_FIRST_VISIT": "0"}
    paces = {"LOAD_THINK_MIN_S": "0", "LOAD_THINK_MAX_S": "0", "LOAD_WARMUP_S": str(_WARM_S)}
    asked_for = {"LOAD_PRODUCTS": str(min(load.highest, _ASKED_FOR)), "LOAD_P95_MS": "600000"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOAD_")}
    with tempfile.TemporaryDirectory(prefix="ladder-") as place:
        command = [sys.executable, "-m", "locust", "-f", str(_LOCUST), "--headless", "--only-summary"]
        command += ["--host", f"http://{load.address}", "--users", str(USERS), "--spawn-rate", str(USERS)]
        command += ["--run-time", f"{_WARM_S + seconds}s", "--stop-timeout", "5", "--csv", f"{place}/users"]
        used = cpu_of_children()
        done = subprocess.run(
            command,
            env={**inherited, **shares, **paces, **asked_for},
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds + 120,
        )
        if done.returncode not in {0, 1}:  # 1: errors, which are counted
            raise OperatorError(f"locust failed: {done.stderr.strip() or done.stdout.strip()}")
        cpu_seconds = cpu_of_children() - used
        with Path(place, "users_stats.csv").open() as file:
            (total,) = (row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
        with Path(place, "users_failures.csv").open() as file:
            told = tuple(f"{row['Occurrences']} × {row['Name']}: {row['Error']}" for row in csv.DictReader(file))
    requests, failed = int(total["Request Count"]), int(total["Failure Count"])
    return Seen(
        requests - failed,
        # What is left of the last answers is waited for, so a run is a little longer than it was to be.
        requests / float(total["Requests/s"]),
        *(float(total[f"{share}%"]) for share in PERCENTILES),
        errors=failed,
        cpu_seconds=cpu_seconds,
        told=told,
    )


def at_rate(load: Load, *, rate: float, seconds: int, seed: int) -> Seen:
    """Ask by h2load over HTTP/1.1, ``rate`` a second spread evenly over its connections, whoever has been answered.

    Each connection walks the same list from its top, so that at one moment they ask for much the same: of use for pages
    that an edge has. A request is timed from when it is sent. Raises ``OperatorError``.
    """
    before, _ = load.request()
    address, chance = f"http://{load.address}{before.removeprefix('GET ')}", random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="ladder-") as place:
        addresses, log = Path(place, "addresses"), Path(place, "log")
        addresses.write_text("".join(f"{address}{popular(chance, load.highest)}%7D\n" for _ in range(_DRAWN)))
        each = max(rate / H2LOAD_CONNECTIONS, 0.1)
        command = ["h2load", "--h1", "-t1", f"-c{H2LOAD_CONNECTIONS}", f"--rps={each:.3f}", f"-D{seconds}"]
        command += [f"--warm-up-time={_WARM_S}", f"--log-file={log}", f"--input-file={addresses}"]
        used = cpu_of_children()
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 60)
        if done.returncode:
            raise OperatorError(f"h2load failed: {done.stderr.strip() or done.stdout.strip()}")
        cpu_seconds = cpu_of_children() - used
        rows = [tuple(map(int, line.split("\t")[:3])) for line in log.read_text().splitlines()]
    latencies = [took / 1000 for _, status, took in rows if status == _OK]
    return Seen(
        len(latencies), seconds, **percentiles(latencies), errors=len(rows) - len(latencies), cpu_seconds=cpu_seconds
    )
