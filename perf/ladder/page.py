"""The page of a ladder: for somebody who was not there, in one file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

from matplotlib.figure import Figure

from perf.ladder.others import USERS
from perf.ladder.parts import PARTS, REST
from perf.ladder.plots import encoded
from perf.ladder.table import kept, middle, spread

_TEMPLATE = Path(__file__).with_name("page.html")
_LATENCIES = ("p50 ms", "p95 ms", "p99 ms")
_COLUMNS = ("a second", "of the rounds", *(name[:-3] for name in _LATENCIES), "errors", *PARTS, REST, "kept")

Result = dict[str, Any]


def page(result: Result, figures: dict[str, Figure], json_name: str) -> str:
    """The page as HTML; ``json_name`` is the file of the figures."""
    climb = result["climbs"][-1]
    pictures = {
        name: f"data:image/svg+xml;base64,{base64.b64encode(encoded(figure, 'svg')).decode()}"
        for name, figure in figures.items()
    }
    words = {
        "title": f"{len(climb['rungs'])} rungs, and what limits the last: {climb['bottleneck']['part']}",
        "date": result["when"][:16].replace("T", " ") + " UTC",
        "machine": result["machine"],
        "versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        "found": found(climb),
        "json": json_name,
    }
    return Template(_TEMPLATE.read_text()).substitute(
        {name: escape(text) for name, text in words.items()},
        **pictures,
        done=_list(_done(result)),
        throughput_reading=_list(_throughput_reading(climb)),
        cpu_reading=_list(_cpu_reading(result)),
        latency_reading=_list(_latency_reading(climb)),
        tables="".join(_table(one) for one in result["climbs"]),
        left_out=_list(result["left out"]),
    )


def found(climb: dict[str, Any]) -> str:
    """What a climb found, in two sentences."""
    first, last = climb["rungs"][0], climb["rungs"][-1]
    best = max(climb["rungs"], key=lambda rung: middle(rung["saturated"]["cold"]["a second"]))
    low, high = (middle(rung["saturated"]["cold"]["a second"]) for rung in (first, best))
    return (
        f"From {low:,.0f} reads a second with one replica to {high:,.0f} with {best['replicas']} "
        f"({high / low:.2f} times); the climb ended with {last['replicas']}: {climb['ended']}. "
        f"{climb['bottleneck']['reading']}"
    )


def _done(result: Result) -> Iterator[str]:
    settings, catalogue = result["settings"], result["catalogue"]
    shares = ", ".join(f"{share:.0%}" for share in settings["shares"])
    yield (
        f"A catalogue of {catalogue['products']:,} products and {catalogue['reviews']:,} reviews in PostgreSQL; before "
        "it gateway processes (replicas); before them nginx (the edge, one worker); and the load generator, all on "
        "this machine. A request is a persisted GET of a product page: product, figures, characteristics, five reviews."
    )
    yield (
        "Replicas were added one by one, while the system was asked, until another one added less than 3 % to the "
        "reads a second that miss."
    )
    yield (
        "Reads that miss (cold): any product as likely as the others, each request with a value of its own, so that no "
        "cache has the answer, and replicas and PostgreSQL do the work. Reads that hit (hot): products by Zipf's law, "
        "and an edge that holds every page."
    )
    yield (
        f"What can be answered at most: wrk over {settings['connections']} connections, each asking again once it is "
        f"answered. Latency: requests that arrive at random moments (a Poisson process) at {shares} of that rate, "
        "timed from the moment at which they were due, so that waiting in a queue counts."
    )
    yield (
        f"The same by other programs: {USERS} users of locust who do not pause, shoppers and visitors of categories, "
        "whose every answer is looked into, before an edge with a small cache; and h2load, at a rate, for reads that "
        "hit: its connections ask for the same pages at the same moments, and it times a request from when it is sent."
    )
    yield (
        f"Each figure is the median of {settings['rounds']} rounds of {settings['seconds']} s, after a warm-up that "
        "does not count; ranges go from the lowest round to the highest."
    )
    yield result["quotas"]["said"]


def _throughput_reading(climb: dict[str, Any]) -> Iterator[str]:
    rates = [middle(rung["saturated"]["cold"]["a second"]) for rung in climb["rungs"]]
    steps = ", ".join(f"{b / a - 1:+.1%} with replica {n}" for n, (a, b) in enumerate(pairwise(rates), 2))
    yield (
        f"{climb['title']}: {steps or 'one rung only'}. The dotted line is what replicas would give that share nothing."
    )
    hot = climb["rungs"][-1]["saturated"]["hot"]
    yield (
        f"Hits need no replica: {middle(hot['a second']):,.0f} a second with {climb['rungs'][-1]['replicas']}, "
        f"{kept(hot):.1%} of them from the cache. {hot['bottleneck']['reading']}"
    )
    joined = sum(rung.get("errors while it joined", 0) for rung in climb["rungs"])
    yield f"Requests that failed while a replica joined: {joined}."


def _cpu_reading(result: Result) -> Iterator[str]:
    yield (
        "Left: cores in use, against those of the machine (dashed). Right: the same as a share of what each part can "
        "have. A part at its limit (90 % or more) is what the others wait for; below it another replica helps."
    )
    for climb in result["climbs"]:
        for rung in climb["rungs"]:
            yield f"{climb['title']}, {rung['replicas']}: {rung['saturated']['cold']['bottleneck']['reading']}"


def _latency_reading(climb: dict[str, Any]) -> Iterator[str]:
    last = climb["rungs"][-1]
    for load, word in (("cold", "misses"), ("hot", "hits")):
        at = "; ".join(
            f"at {figures['share']:.0%} of the capacity p50 {middle(figures['p50 ms']):.1f} ms and p99 "
            f"{middle(figures['p99 ms']):.1f} ms"
            for figures in last["arrivals"][load]
            if figures["share"] < 1
        )
        yield f"{last['replicas']} replicas, reads that are {word}: {at}."
    failed = sum(
        sum(figures["errors"]) for rung in climb["rungs"] for load in rung["arrivals"].values() for figures in load
    )
    yield (
        f"Of all arrivals {failed:,} failed. A replica that has so much to do that it does not answer the edge's probe "
        "within a second is not asked meanwhile, and where no other is ready the edge refuses with 503."
    )
    others = [one for rung in climb["rungs"] for one in rung.get("others", {}).values()]
    told = [error for one in others for error in one.get("told", ())]
    if told:
        yield f"What users were told in place of an answer: {'; '.join(told)}."
    yield (
        "Above 100 % more arrives than can be answered: the queue grows for as long as it is measured, and so does the "
        "latency: there it says how long was measured, not how slow the system is."
    )


def _table(climb: dict[str, Any]) -> str:
    names = "".join(f"<th>{escape(name)}" for name in _COLUMNS)
    rows = [
        f"<h3>{escape(climb['title'])}</h3><div class=wide><table>",
        f"<tr><th class=left>replicas<th class=left>load{names}<th class=left>bottleneck",
    ]
    for rung in climb["rungs"]:
        for load, figures in rung["saturated"].items():
            first = "first" if load == "cold" else ""
            rows.append(_row(first, rung["replicas"], f"{load}, at most", figures, figures["bottleneck"]["part"]))
        for load, rates in rung.get("arrivals", {}).items():
            rows += [
                _row("", "", f"{load}, {one['rate']:,.0f}/s arrive ({one['share']:.0%})", one, "") for one in rates
            ]
        rows += [_row("", "", name, figures, "") for name, figures in rung.get("others", {}).items()]
    return "\n".join(rows) + "</table></div>"


def _row(kind: str, replicas: object, load: str, figures: dict[str, Any], bottleneck: str) -> str:
    cells = [f"{middle(figures['a second']):,.0f}", spread(figures["a second"])]
    cells += [f"{middle(figures[name]):.1f}" for name in _LATENCIES]
    cells.append(str(sum(figures["errors"])))
    cells += [f"{middle(figures['cores'][part]):.2f}" for part in (*PARTS, REST)]
    cells.append(f"{kept(figures):.1%}")
    numbers = "".join(f"<td>{cell}" for cell in cells)
    return f'<tr class="{kind}"><td class=left>{replicas}<td class=left>{load}{numbers}<td class=left>{bottleneck}'


def _list(points: Iterator[str] | list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(point)}" for point in points) + "</ul>"
