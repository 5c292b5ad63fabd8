"""What is left of a gateway that is asked three times as much as it can do, and what idle connections cost its edge.

Requests come on time, whether those before them are answered or not, and each is timed from when it was due. The peak
is what 64 connections get that ask again when they are answered, while the same generator asks an nginx for as many
refusals as the overload brings: so both pay for asking, and for being refused by what refuses cheapest.

Run it with ``make bench-overload``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import psutil

from graphql_api.errors import OperatorError
from perf.bench import about, cell, write
from perf.catalogue import running_catalogue
from perf.load import MARK, Asking, check_tools, hash_of, wrk
from perf.overload.asking import CARDS, LIGHT
from perf.overload.idle import holding
from perf.overload.measuring import AT_ONCE, TIMES, measured
from perf.overload.stage import Stage, stage
from perf.servers import document

GOALS = {CARDS.title: 0.9, LIGHT.title: 0.7}
"""What of its peak each keeps, at least."""
HIT = f"/graphql/p/{hash_of(document('LightPage'))}/LightPage?variables=%7B%22id%22:{MARK}%7D"


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path(".local-bench"), help="folder of the catalogue")
    parser.add_argument("--products", type=int, default=100_000, help="products of the catalogue")
    parser.add_argument("--hot", type=int, default=100_000, help="reviews of the product that has most")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each figure")
    parser.add_argument("--seconds", type=float, default=6, help="seconds of the peak, and of the overload")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--without-edge", action="store_true", help="ask the replica itself, the second line")
    parser.add_argument("--json", action="store_true", help="end with the result as a line of JSON")
    parser.add_argument("--write", action="store_true", help="keep the result in perf/results")
    given = parser.parse_args()
    check_tools()
    try:
        with (
            running_catalogue(given.state, products=given.products, hot=given.hot) as catalogue,
            stage(catalogue) as running,
        ):
            result: dict[str, Any] = {
                **about(catalogue, {}),
                "settings": {
                    "rounds": given.rounds,
                    "seconds": given.seconds,
                    "times the peak": TIMES,
                    "connections at the peak": AT_ONCE,
                    "asked": "the replica" if given.without_edge else "the edge",
                },
                "overload": {},
            }
            for wanted in (CARDS, LIGHT):
                result["overload"][wanted.title] = measured(
                    wanted,
                    running,
                    address=running.replica if given.without_edge else running.edge,
                    highest=given.products,
                    rounds=given.rounds,
                    seconds=given.seconds,
                )
            result["idle"] = _idle(running, given.idle, rounds=given.rounds)
    except OperatorError as error:
        sys.exit(str(error))
    _show(result)
    if given.json:
        print(json.dumps(result))
    if given.write:
        write(result, "overload")


def _idle(running: Stage, count: int, *, rounds: int) -> dict[str, Any]:
    """The hits a second of an edge without and with so many idle connections, and what these take of its memory."""
    rates: dict[str, list[float]] = {"without": [], "with": []}
    taken = 0

    def rate() -> float:
        asked = wrk(f"http://{running.edge}", Asking(HIT), connections=AT_ONCE, seconds=2, highest=1, seed=1)
        return asked.per_second

    async def held() -> float:
        nonlocal taken
        before = _memory(running.edge_process)
        async with holding(running.edge, HIT.replace(MARK, "1"), count):
            taken = max(taken, _memory(running.edge_process) - before)
            return await asyncio.to_thread(rate)

    rate()  # warms up
    for _ in range(rounds):
        rates["without"].append(round(rate()))
        rates["with"].append(round(asyncio.run(held())))
    ratios = [round(one / other, 4) for one, other in zip(rates["with"], rates["without"], strict=True)]
    return {
        "connections": count,
        "MiB taken": round(taken / 2**20, 1),
        "hits a second without them": rates["without"],
        "hits a second with them": rates["with"],
        "with / without": ratios,
    }


def _memory(process: int) -> int:
    master = psutil.Process(process)
    return sum(one.memory_full_info().uss for one in (master, *master.children()))


def _show(result: dict[str, Any]) -> None:
    print(
        f"\n{result['machine']}, {result['catalogue']['products']:,} products, by way of {result['settings']['asked']}"
    )
    titles = list(result["overload"])
    print(f"\n{'median (rounds)':<32}" + "".join(f"{title:>34}" for title in titles))
    for name in result["overload"][titles[0]]:
        cells = (cell(result["overload"][title][name]) for title in titles)
        print(f"{name:<32}" + "".join(f"{cell:>34}" for cell in cells))
    print(f"{'goal: accepted / peak':<32}" + "".join(f"{GOALS[title]:>34}" for title in titles))
    print(f"{'goal: p99 / peak, recovery':<32}" + "".join(f"{'under 3, 1000 ms':>34}" for _ in titles))
    idle = result["idle"]
    print(f"\n{idle['connections']:,} idle connections: {idle['MiB taken']} MiB at the edge (goal: under 64)")
    print(f"hits a second, with / without them: {cell(idle['with / without'])} (goal: 0.8)")


if __name__ == "__main__":
    main()
