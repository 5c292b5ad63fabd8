"""Add replicas one by one under load until throughput stops rising, and name the part that keeps it from rising.

Every part has a CPU quota, so that a machine of 2 cores climbs several rungs before it is full. Run it with
``make ladder``; docs/ladder.md says how to read what comes out.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from graphql_api.errors import OperatorError
from graphql_api.processes import check_edge, free_port
from perf.bench import RESULTS, about
from perf.catalogue import running_catalogue
from perf.ladder.climb import climb
from perf.ladder.filling import fill
from perf.ladder.page import found
from perf.ladder.quotas import PERIOD_US, NoQuotasError, Quotas, quotas
from perf.ladder.results import write
from perf.ladder.rungs import SHARES, Plan
from perf.ladder.stage import Cores, Stage, stage
from perf.ladder.table import head, lines

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Climb, print, and write figures, pictures and the page."""
    given = _arguments()
    # As Ctrl-C: what was started ends with us, and no quota is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for program, package in (("wrk", "wrk"), ("h2load", "nghttp2-client")):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: install it (Debian: apt-get install {package}).")
    try:
        check_edge(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", {"EDGE_LOG": "off"})
        with ExitStack() as running:
            made, said = _quotas(running, given)
            catalogue = running.enter_context(running_catalogue(given.state, products=given.products, hot=given.hot))
            parts = running.enter_context(stage(catalogue, most=given.most, quotas=made))
            result = {"kind": "ladder", **about(catalogue, {"nginx": _nginx()}), "cores": psutil.cpu_count()}
            result |= {"quotas": {"used": made is not None, "said": said, **vars(_cores(given))}}
            result |= _climbed(parts, given, limited=made is not None)
    except OperatorError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    print(f"\n{found(result['climbs'][-1])}")
    for written in write(result, RESULTS if given.write else given.state / "ladder"):
        print(f"Written to {written}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make ladder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--hot", type=int, default=100_000, help="how many more reviews product 1 has")
    parser.add_argument("--state", type=Path, default=ROOT / ".local-bench", help="the folder that keeps the catalogue")
    parser.add_argument("--most", type=int, default=7, help="replicas at most")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each round")
    parser.add_argument("--warm-seconds", type=int, default=2, help="seconds that warm a rung up")
    parser.add_argument("--connections", type=int, default=64, help="connections that ask as fast as they can")
    parser.add_argument(
        "--shares",
        type=float,
        nargs="+",
        default=SHARES,
        help="rates of arrivals, as shares of what is answered at most",
    )
    parser.add_argument("--replica-cores", type=float, default=0.2, help="the quota of each replica")
    parser.add_argument("--edge-cores", type=float, default=0.5, help="the quota of the edge, for reads that miss")
    parser.add_argument("--hits-cores", type=float, default=0.15, help="the quota of the edge, for reads that hit")
    parser.add_argument("--postgres-cores", type=float, default=0.3, help="the quota of PostgreSQL")
    parser.add_argument("--no-quota", dest="quotas", action="store_false", help="climb without quotas alone")
    parser.add_argument("--write", action="store_true", help="write the result to perf/results")
    return parser.parse_args()


def _cores(given: argparse.Namespace) -> Cores:
    return Cores(given.replica_cores, given.edge_cores, given.hits_cores, given.postgres_cores)


def _quotas(running: ExitStack, given: argparse.Namespace) -> tuple[Quotas | None, str]:
    """The quotas that can be had, and the sentence about them for the result."""
    if not given.quotas:
        return None, "No part had a CPU quota, as --no-quota says: a rung is full when the machine is."
    try:
        made = running.enter_context(quotas())
    except NoQuotasError as error:
        print(f"{error} It goes on without.", flush=True)
        return None, f"No part had a CPU quota. {error}"
    cores = _cores(given)
    return made, (
        f"Each replica had {cores.replica:g} of a core, PostgreSQL {cores.postgres:g}, the edge {cores.cold:g} for "
        f"reads that miss and {cores.hot:g} for reads that hit, by control groups (version {made.version}, periods of "
        f"{PERIOD_US / 1000:g} ms), so that this machine has room for several rungs and for the load generator, which "
        "has no quota. The same was climbed without quotas too."
    )


def _climbed(parts: Stage, given: argparse.Namespace, *, limited: bool) -> dict[str, Any]:
    """The climbs: without quotas for the record, and with them where there are any."""
    plan = Plan(given.rounds, given.seconds, given.warm_seconds, given.connections, tuple(given.shares))
    print(f"Filling the cache with {given.products:,} pages …", flush=True)
    fill(parts.edges["hot"].listen, given.products, connections=given.connections)
    climbs = []
    for with_quotas in (False, True)[: 1 + limited]:
        title = "With quotas" if with_quotas else "Without quotas"
        parts.keep_one_replica()
        if with_quotas:
            parts.limit(_cores(given))
        print(f"\n{title}{head()}", flush=True)
        found_there = climb(parts, plan, most=given.most, with_rates=with_quotas == limited, say=_say)
        climbs.append({"title": title, "quotas": with_quotas, **found_there})
        print(f"It ends: {found_there['ended']}.", flush=True)
    return {"settings": vars(plan), "left out": _left_out(climbs), "climbs": climbs}


def _left_out(climbs: list[dict[str, Any]]) -> list[str]:
    """What a reader might look for."""
    missing = ["Writes: nobody writes while it is measured.", "The network: everything is on one machine."]
    if not any("pool waiting" in rung["saturated"]["cold"] for one in climbs for rung in one["rungs"]):
        missing.append("Who waits for a connection to PostgreSQL: this gateway's /metrics does not say.")
    return missing


def _say(rung: dict[str, Any]) -> None:
    for line in lines(rung):
        print(line, flush=True)


def _nginx() -> str:
    said = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr.strip()
    return said.rpartition("/")[2]


if __name__ == "__main__":
    main()
