"""Product pages and product cards of several servers, in rounds that take turns."""

from __future__ import annotations

import json
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psutil

from perf.catalogue import Catalogue
from perf.load import MARK, Asking, Client, Load, wrk
from perf.servers import Server, asking

MANY = 64
"""Connections of the loaded measurement."""
CARDS = 100
_COMPARED = 20
# What each server spells in its own way, and what PostGraphile's document leaves out.
_OWN_WAY = frozenset({"id", "startCursor", "endCursor", "totalCount"})


def same_pages(servers: Sequence[Server], catalogue: Catalogue) -> dict[str, int]:
    """End the program unless all servers answer with the same rows; the mean size of each one's answer in bytes."""
    chosen = random.Random(1).sample(range(1, catalogue.products + 1), _COMPARED)
    sizes, pages = {}, {}
    for server in servers:
        with Client(server.address) as client:
            sizes[server.name] = sum(len(client.ask(server.page.request(n))[1]) for n in chosen) // _COMPARED
            pages[server.name] = [_compared(client.data(server.page.request(number))) for number in chosen]
    for name, answers in pages.items():
        for number, answer, expected in zip(chosen, answers, pages[servers[0].name], strict=True):
            if answer != expected:
                sys.exit(
                    f"{name} answers otherwise than {servers[0].name} for product {number}:\n"
                    f"{json.dumps(answer)}\n{json.dumps(expected)}"
                )
    return sizes


def body_of(server: Server) -> bytes:
    """A page of a server, as it is on the wire."""
    with Client(server.address) as client:
        return client.ask(server.page.request(2))[1]


def _compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: datetime.fromisoformat(part).timestamp() if name == "createdAt" else _compared(part)
            for name, part in value.items()
            if name not in _OWN_WAY
        }
    return [_compared(part) for part in value] if isinstance(value, list) else value


def product_pages(
    servers: Sequence[Server], catalogue: Catalogue, *, rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """By server the medians over the rounds: pages a second and latencies at 64 connections, latency at one."""
    askings = {server.name: server.page for server in servers}
    many = _rounds(servers, askings, catalogue, connections=MANY, rounds=rounds, seconds=seconds)
    one = _rounds(servers, askings, catalogue, connections=1, rounds=rounds, seconds=seconds)
    return {
        server.name: {
            **many[server.name],
            "p99 / median": many[server.name]["p99 ms"] / many[server.name]["median ms"],
            "median ms at 1 connection": one[server.name]["median ms"],
        }
        for server in servers
    }


def product_cards(
    servers: Sequence[Server], catalogue: Catalogue, *, rounds: int, seconds: float, by_text: bool
) -> dict[str, dict[str, float]]:
    """By server the same of 100 cards of random products."""
    cards = asking("ProductCards", {"ids": [MARK]}, ids=CARDS, by_text=by_text)
    askings = {server.name: cards for server in servers}
    return _rounds(servers, askings, catalogue, connections=MANY, rounds=rounds, seconds=seconds)


def _rounds(
    servers: Sequence[Server],
    askings: dict[str, Asking],
    catalogue: Catalogue,
    *,
    connections: int,
    rounds: int,
    seconds: float,
) -> dict[str, dict[str, float]]:
    seen: dict[str, list[tuple[Load, float]]] = defaultdict(list)
    for turn in range(-1, rounds):
        # Each is the first of a round as often as the others; round -1 warms up.
        order = servers if turn % 2 else servers[::-1]
        for server in order:
            process = psutil.Process(server.process)
            before = process.cpu_times()
            load = wrk(
                server.address,
                askings[server.name],
                connections=connections,
                seconds=seconds if turn >= 0 else min(seconds, 2),
                highest=catalogue.products,
                seed=turn + 2,
            )
            if turn >= 0:
                seen[server.name].append((load, busy(process.cpu_times()) - busy(before)))
    return {server.name: _medians(seen[server.name]) for server in servers}


def busy(times: Any) -> float:
    """Seconds of CPU among a process's times."""
    seconds: float = times.user + times.system
    return seconds


def _medians(loads: list[tuple[Load, float]]) -> dict[str, float]:
    return {
        "a second": statistics.median(load.per_second for load, _ in loads),
        "median ms": statistics.median(load.median_ms for load, _ in loads),
        "p99 ms": statistics.median(load.p99_ms for load, _ in loads),
        # Least moved by what else the machine does. PostgreSQL's is not in it.
        "its CPU ms each": statistics.median(seconds * 1000 / load.requests for load, seconds in loads),
        "slowest a second": min(load.per_second for load, _ in loads),
        "fastest a second": max(load.per_second for load, _ in loads),
    }
