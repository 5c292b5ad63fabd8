"""How many votes and reviews a second the gateway stores, beside pgbench storing the same rows, and who waits for it.

Both write to the same PostgreSQL over as many connections, with fsync and synchronous_commit on; they take turns, and
what counts is their ratio within a round. Then one product is written to as fast as it goes, and others are voted for
and read meanwhile: their latency is set against that beside as many writers of many products.

The database is a copy of the catalogue, and is removed. Run it with ``make bench-writes``.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from perf import servers
from perf.bench import about, cell, write
from perf.catalogue import Catalogue, rows, run, running_catalogue
from perf.load import MARK, Load, check_tools, pgbench_script, wrk, wrk_script
from perf.pages import busy
from perf.servers import Server
from perf.writes.wanted import Wanted, drawn

DATABASE = "bench_writes"
CONNECTIONS = 4
"""Connections to PostgreSQL of the gateway, which is its default, and of pgbench."""
WRITERS = 32
"""Connections to the gateway that write as fast as they are answered."""
OTHERS = 4
"""Connections each that vote for other products, and read them, meanwhile."""
HALF = 0.5
_SEEDS = itertools.count(1)
"""Of each run another one: a voter's second vote would not count."""
_SCRIPT = Path(__file__).with_name("ask.lua")


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path(".local-bench"), help="folder of the catalogue")
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--hot", type=int, default=100_000, help="how many more reviews product 1 has")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each figure")
    parser.add_argument("--seconds", type=float, default=4, help="seconds of a turn")
    parser.add_argument("--write", action="store_true", help="write the result to perf/results")
    given = parser.parse_args()
    check_tools()
    with (
        running_catalogue(given.state, products=given.products, hot=given.hot) as catalogue,
        _copy(catalogue) as copied,
        TemporaryDirectory() as place,
    ):
        wanted = drawn(copied, Path(place))
        with servers.gateway(
            copied, "gateway", page="light", REVIEWS_WRITE_CONNECTIONS=str(CONNECTIONS), REVIEWS_MAX_QUEUED="1000"
        ) as gateway:
            result = {
                **about(catalogue, {}),
                "settings": {
                    "rounds": given.rounds,
                    "seconds": given.seconds,
                    "connections to PostgreSQL": CONNECTIONS,
                    "connections to the gateway": WRITERS,
                    **_durability(copied),
                },
                "writes": {
                    title: _against_pgbench(copied, gateway, one, given.rounds, given.seconds)
                    for title, one in wanted.items()
                },
                "others": {
                    kind: _beside(copied, gateway, wanted, kind, given.rounds, given.seconds)
                    for kind in ("votes", "reviews")
                },
            }
        result["miscounted"] = _miscounted(copied)
    _show(result)
    if given.write:
        write(result, "writes")
    if result["miscounted"]:
        sys.exit(f"{result['miscounted']} reviews have another number of votes than were stored.")


@contextmanager
def _copy(catalogue: Catalogue) -> Iterator[Catalogue]:
    """The catalogue in a database of its own, which is written to and removed."""
    postgres = catalogue.address_of("postgres")
    run(postgres, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    run(postgres, f"CREATE DATABASE {DATABASE} TEMPLATE {catalogue.database} STRATEGY FILE_COPY")
    try:
        yield dataclasses.replace(catalogue, url=catalogue.address_of(DATABASE), database=DATABASE)
    finally:
        run(postgres, f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _durability(catalogue: Catalogue) -> dict[str, str]:
    """The settings of the server that decide what a commit is worth."""
    names = ("fsync", "synchronous_commit", "full_page_writes")
    return {name: rows(catalogue.url, f"SHOW {name}")[0][0] for name in names}


def _against_pgbench(
    catalogue: Catalogue, gateway: Server, wanted: Wanted, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Each figure with its rounds; the first turns warm up."""
    figures: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        rate = pgbench_script(catalogue.socket, catalogue.database, wanted.script, clients=CONNECTIONS, seconds=seconds)
        process = psutil.Process(gateway.process)
        before = busy(process.cpu_times())
        load = _written(gateway, wanted, WRITERS, seconds)
        cpu_s = busy(process.cpu_times()) - before
        if number:
            figures["a second"].append(round(load.per_second, 1))
            figures["pgbench a second"].append(round(rate, 1))
            figures["gateway / pgbench"].append(round(load.per_second / rate, 4))
            figures["its CPU us each"].append(round(cpu_s * 1e6 / load.requests, 1))
            figures["median ms"].append(load.median_ms)
            figures["p99 ms"].append(load.p99_ms)
    return figures


def _beside(
    catalogue: Catalogue, gateway: Server, wanted: dict[str, Wanted], kind: str, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Latencies of others beside writers of one product, and beside as many of many products, in turns."""
    figures: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(3) as threads:
        for _ in range(rounds):
            for whose in ("many products", "one product"):
                writing = threads.submit(_written, gateway, wanted[f"{kind}, {whose}"], WRITERS, seconds + 1)
                voting = threads.submit(_written, gateway, wanted["votes, many products"], OTHERS, seconds)
                reading = threads.submit(
                    wrk,
                    gateway.address,
                    gateway.page,
                    connections=OTHERS,
                    seconds=seconds,
                    highest=catalogue.products,
                    seed=next(_SEEDS),
                )
                loads = {"writes": writing.result(), "others' votes": voting.result(), "pages": reading.result()}
                for name, load in loads.items():
                    figures[f"{name} a second beside {whose}"].append(round(load.per_second, 1))
                    figures[f"{name}, p99 ms beside {whose}"].append(load.p99_ms)
    for name in ("others' votes", "pages"):
        of_one, of_many = (figures[f"{name}, p99 ms beside {whose}"] for whose in ("one product", "many products"))
        figures[f"{name}, p99 beside one / many"] = [
            round(one / many, 4) for one, many in zip(of_one, of_many, strict=True)
        ]
    return figures


def _written(gateway: Server, wanted: Wanted, connections: int, seconds: float) -> Load:
    return wrk_script(
        gateway.address, _SCRIPT, [wanted.bodies, MARK, next(_SEEDS)], connections=connections, seconds=seconds
    )


def _miscounted(catalogue: Catalogue) -> int:
    """Reviews whose count is not what it was and a vote for each row that was stored."""
    (found,) = rows(
        catalogue.url,
        """
        SELECT count(*) FROM reviews JOIN bench_before USING (product_id, review_id)
        WHERE reviews.helpfulness <> bench_before.helpfulness + (
            SELECT count(*) FROM helpful_votes AS v
            WHERE v.product_id = reviews.product_id AND v.review_id = reviews.review_id)
        """,
    )
    count: int = found[0]
    return count


def _show(result: dict[str, Any]) -> None:
    settings = result["settings"]
    print(f"\n{result['machine']}, {result['catalogue']['products']:,} products")
    print(
        f"fsync {settings['fsync']}, synchronous_commit {settings['synchronous_commit']},"
        f" {settings['connections to PostgreSQL']} connections to PostgreSQL, of the gateway as of pgbench\n"
    )
    names = list(next(iter(result["writes"].values())))
    print(f"{'median (rounds)':<24}" + "".join(f"{name:>24}" for name in names))
    for title, figures in result["writes"].items():
        print(f"{title:<24}" + "".join(f"{cell(figures[name]):>24}" for name in names))
    print(f"goal: gateway / pgbench {HALF}")
    for kind, figures in result["others"].items():
        print(f"\n{WRITERS} connections writing {kind}, {OTHERS} voting for others, {OTHERS} reading others")
        for name, rounds in figures.items():
            print(f"  {name:<48}{cell(rounds):>30}")
    print(f"\nreviews whose votes are miscounted: {result['miscounted']}")


if __name__ == "__main__":
    main()
