"""What a hit costs at the edge, whose answers are never stale, and at nginx's own cache, whose are.

Both have one worker, the same pages, headers and log, and are asked turn about by wrk over 64 connections. The figure
is the worker's CPU a hit: the machine's two cores also run wrk.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from graphql_api.processes import Child, Edge, free_port
from perf.bench import about, write
from perf.catalogue import running_catalogue
from perf.load import hash_of
from perf.pages import busy
from perf.servers import document, gateway

ROOT = Path(__file__).parent.parent
_SCRIPT, _PLAIN = (str(Path(__file__).with_name(name)) for name in ("hits.lua", "plain.conf"))
CONNECTIONS = 64
CACHE_MIB = 1024
_FEW = 1000
"""Pages that a second fills in."""
CASES = {"even": ("500 pages, all alike", 500), "zipf": ("100,000 pages by Zipf's law", 100_000)}


class Measured:
    """One server's rounds of one case."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.cpu_us: list[float] = []

    def summary(self) -> dict[str, float]:
        """Medians: hits a second, microseconds of the worker's CPU a hit."""
        return {
            "hits_a_second": round(statistics.median(self.rates)),
            "cpu_us": round(statistics.median(self.cpu_us), 2),
        }


def main() -> None:
    """Measure, print the table, and keep it with ``--write``."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=20, help="short ones: what a machine has for us changes")
    options.add_argument("--seconds", type=int, default=1, help="of each server in a round")
    options.add_argument("--only", choices=CASES, help="measure this case alone")
    options.add_argument("--state", type=Path, default=ROOT / ".local-bench", help="where the catalogue is kept")
    options.add_argument("--products", type=int, default=100_000)
    options.add_argument("--write", action="store_true", help="keep the result in perf/results")
    given = options.parse_args()
    for program in ("wrk", "nginx"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: apt-get install {program}")
    place = Path(tempfile.mkdtemp(prefix="edge-", dir="/dev/shm"))
    place.chmod(0o755)
    try:
        with (
            running_catalogue(given.state, products=given.products, hot=100_000) as catalogue,
            gateway(catalogue, "gateway") as server,
            _servers(place, server.address.removeprefix("http://")) as ports,
        ):
            result: dict[str, Any] = {**about(catalogue, {"nginx": _nginx()}), "rounds": given.rounds}
            result |= {"seconds": given.seconds, "cases": []}
            for shares, (title, pages) in CASES.items():
                if given.only in {None, shares}:
                    result["cases"].append(_case(title, min(pages, given.products), shares, ports, given))
    finally:
        shutil.rmtree(place)
    _show(result)
    if given.write:
        write(result, "edge")


@contextmanager
def _servers(place: Path, upstream: str) -> Iterator[dict[str, tuple[int, Child]]]:
    """The edge and the plain cache before the gateway at ``upstream``: port and process by name."""
    plain_port = free_port()
    edges = {}
    for number, (name, log) in enumerate({"edge": str(place / "access-edge.log"), "edge, no log": "off"}.items()):
        port = free_port()
        settings = {"EDGE_WORKERS": "1", "EDGE_CACHE_MIB": str(CACHE_MIB), "EDGE_LOG": log}
        status = f"127.0.0.1:{free_port()}"
        edges[name] = (port, Edge(number, f"127.0.0.1:{port}", status, [upstream], place, settings))
    text = Path(_PLAIN).read_text()
    for name, value in {
        "PLACE": str(place),
        "CACHE": str(place / "cache"),
        "UPSTREAM": upstream,
        "LISTEN": f"127.0.0.1:{plain_port}",
    }.items():
        text = text.replace(f"@{name}@", value)
    configuration = place / "plain.conf"
    configuration.write_text(text)
    command = ["nginx", "-p", f"{place}/", "-c", str(configuration), "-e", "stderr"]
    plain = Child("plain cache", command, dict(os.environ), place / "plain.log")
    plain.start()
    for _, edge in edges.values():
        edge.start()
    try:
        for _, edge in edges.values():
            edge.wait_until_ready()
        yield {"plain": (plain_port, plain), **edges}
    finally:
        for _, child in ((plain_port, plain), *edges.values()):
            child.stop(signal.SIGTERM, 5)


def _case(
    title: str, pages: int, shares: str, ports: dict[str, tuple[int, Child]], given: argparse.Namespace
) -> dict[str, object]:
    print(f"{title}: filling …", flush=True)
    for port, _ in ports.values():
        _fill(port, pages)
    measured = {name: Measured() for name in ports}
    for round_ in range(given.rounds):
        turns = list(ports.items())
        for name, (port, child) in turns if round_ % 2 == 0 else reversed(turns):
            worker = _worker(child.pid)
            before = _cpu(worker)
            hits, seconds = _asked(port, pages, shares, given.seconds, seed=round_)
            measured[name].rates.append(hits / seconds)
            measured[name].cpu_us.append((_cpu(worker) - before) / hits * 1e6)
    ratios = [p / e for p, e in zip(measured["plain"].cpu_us, measured["edge"].cpu_us, strict=True)]
    logs = [e - without for e, without in zip(measured["edge"].cpu_us, measured["edge, no log"].cpu_us, strict=True)]
    return {
        "title": title,
        **{name: one.summary() for name, one in measured.items()},
        "log_us": round(statistics.median(logs), 2),
        "cheaper": round(statistics.median(ratios), 2),
        "cheaper_each_round": [round(ratio, 2) for ratio in ratios],
    }


def _request(port: int) -> tuple[str, str]:
    """What stands before the number of the product in a request, and behind it."""
    variables = quote('{"id":')
    path = f"/graphql/p/{hash_of(document('ProductPage'))}/ProductPage?variables={variables}"
    return f"GET {path}", f"%7D HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n"


def _fill(port: int, pages: int) -> None:
    """Ask for every page once. What is under way when wrk ends was perhaps not answered, so it goes on before that."""
    asked = 0
    while asked < pages:
        first = max(0, asked - CONNECTIONS)
        answered, _ = _asked(port, pages, "even", 10 if pages > _FEW else 1, first=first)
        asked = first + answered


def _asked(
    port: int, pages: int, shares: str, seconds: int, *, seed: int = 0, first: int | None = None
) -> tuple[int, float]:
    """How many answers wrk got, and in how many seconds. From page ``first`` on each is asked for in turn."""
    before, after = _request(port)
    environment = {**os.environ, "PAGES": str(pages), "SHARES": shares, "SEED": str(seed)}
    environment |= {"BEFORE": before, "AFTER": after, "FIRST": "" if first is None else str(first)}
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", _SCRIPT, f"http://127.0.0.1:{port}/"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", told)
    if found is None or "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"wrk says:\n{told}")
    return int(found[1]), float(found[2]) * {"ms": 0.001, "s": 1, "m": 60}[found[3]]


def _worker(master: int) -> psutil.Process:
    """The child of an nginx that has worked most: the other ones manage the cache."""
    return max(psutil.Process(master).children(), key=_cpu)


def _cpu(process: psutil.Process) -> float:
    return busy(process.cpu_times())


def _nginx() -> str:
    said = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr.strip()
    return said.rpartition("/")[2]


def _show(result: dict[str, object]) -> None:
    print(f"\n{'':32}{'plain cache':>24}{'edge':>24}{'plain/edge':>12}{'its log':>10}")
    for case in result["cases"]:
        plain, edge = (f"{case[n]['cpu_us']:.1f} µs {case[n]['hits_a_second']:,}/s" for n in ("plain", "edge"))
        print(f"{case['title']:32}{plain:>24}{edge:>24}{case['cheaper']:>12}{case['log_us']:>7} µs")
    said = "; ".join(f"{case['title']}: {_between(case['cheaper_each_round'])}" for case in result["cases"])
    print(f"Half of the rounds lie between these. {said}; {time.strftime('%Y-%m-%d')}")


def _between(ratios: list[float]) -> str:
    quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return " and ".join(f"{one:.2f}" for one in quartiles[::2])


if __name__ == "__main__":
    main()
