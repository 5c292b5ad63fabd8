"""What the gateway's instruments cost: product pages of the same gateway with and without them.

Two processes of one program differ by a few per cent for as long as they live, by where their memory lies. So each
round starts its own, and asks them turn about by wrk over 64 connections. What counts is the ratio within a round: of
pages a second, and of the CPU of the gateway's process a page, which moves less. A second gateway without instruments
says what a ratio is worth.

Run it with ``make bench-metrics``.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psutil

from perf import servers
from perf.bench import about, add_arguments, write
from perf.catalogue import Catalogue, running_catalogue
from perf.counting import microseconds
from perf.load import check_tools, wrk
from perf.pages import MANY, busy
from perf.servers import Server

BARE, AGAIN = "nothing", "nothing again"
_OFF = {"REVIEWS_METRICS": "false", "REVIEWS_SLOW_MS": "0"}
GATEWAYS: dict[str, dict[str, str]] = {"as delivered": {}, BARE: _OFF, AGAIN: _OFF}
"""What is compared: the default, with figures and the log of slow operations; neither, twice."""


@dataclass
class Turns:
    """What the turns of one gateway in one round came to."""

    requests: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def pages_a_second(self) -> float:
        """Pages a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of the gateway's process a page, in microseconds."""
        return self.cpu_s * 1e6 / self.requests


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=10, help="each with processes of its own")
    parser.add_argument("--turns", type=int, default=3, help="turns of each gateway in a round")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of a turn")
    parser.add_argument("--page", choices=servers.PAGES, default="full", help="which product page is asked for")
    given = parser.parse_args()
    check_tools()
    counting = microseconds()
    with running_catalogue(given.state, products=given.products, hot=given.hot) as catalogue:
        rounds = [_round(catalogue, given, number) for number in range(given.rounds)]
        result = {
            **about(catalogue, {}),
            "us to count a request": counting,
            "settings": {
                **{name: getattr(given, name) for name in ("rounds", "turns", "seconds", "page")},
                "connections": MANY,
            },
            "gateways": {name: _figures(name, rounds) for name in GATEWAYS},
        }
    _show(result)
    if given.write:
        write(result, "metrics")


def _round(catalogue: Catalogue, given: argparse.Namespace, number: int) -> dict[str, Turns]:
    """Gateways of this round alone; the first turn of each warms it up."""
    turns = {name: Turns() for name in GATEWAYS}
    with ExitStack() as running:
        compared = [
            running.enter_context(
                servers.gateway(catalogue, name, by_text=given.by_text, page=given.page, **GATEWAYS[name])
            )
            for name in GATEWAYS
        ]
        for turn in range(given.turns + 1):
            # Each is the first as often as the last.
            for server in compared if (turn + number) % 2 else compared[::-1]:
                counted = turns[server.name] if turn else Turns()
                _ask(server, catalogue, counted, given.seconds, seed=number * 100 + turn + 1)
    return turns


def _ask(server: Server, catalogue: Catalogue, counted: Turns, seconds: float, *, seed: int) -> None:
    process = psutil.Process(server.process)
    before = busy(process.cpu_times())
    load = wrk(server.address, server.page, connections=MANY, seconds=seconds, highest=catalogue.products, seed=seed)
    counted.cpu_s += busy(process.cpu_times()) - before
    counted.requests += load.requests
    counted.seconds += load.requests / load.per_second


def _figures(name: str, rounds: list[dict[str, Turns]]) -> dict[str, Any]:
    """The medians of a gateway, and what each round says of it against the one without."""
    own, bare = [one[name] for one in rounds], [one[BARE] for one in rounds]
    return {
        "pages a second": round(statistics.median(turns.pages_a_second for turns in own)),
        "its CPU us each": round(statistics.median(turns.cpu_us for turns in own), 1),
        "pages each round": _ratios([turns.pages_a_second for turns in own], [turns.pages_a_second for turns in bare]),
        "CPU each round": _ratios([turns.cpu_us for turns in own], [turns.cpu_us for turns in bare]),
    }


def _ratios(ones: list[float], others: list[float]) -> list[float]:
    return [round(one / other, 4) for one, other in zip(ones, others, strict=True)]


def _show(result: dict[str, Any]) -> None:
    print(f"\n{result['machine']}, {result['catalogue']['products']:,} products")
    counting = ", ".join(f"{us:.2f} {whose}" for whose, us in result["us to count a request"].items())
    print(f"us to count a request with two batches of its own: {counting}\n")
    print(f"{'':<16}{'pages a second':>16}{'CPU us each':>14}{'pages / ' + BARE:>18}{'CPU / ' + BARE:>16}")
    for name, figures in result["gateways"].items():
        pages, cpu = (statistics.median(figures[part]) for part in ("pages each round", "CPU each round"))
        print(
            f"{name:<16}{figures['pages a second']:16,}{figures['its CPU us each']:14.1f}{pages:18.4f}{cpu:16.4f}"
            f"   rounds: {min(figures['CPU each round']):.3f} to {max(figures['CPU each round']):.3f}"
        )


if __name__ == "__main__":
    main()
