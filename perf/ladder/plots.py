"""The pictures of a ladder: throughput against replicas, latency against throughput, CPU by part."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from perf.ladder.parts import EDGE, LOAD, PARTS, POSTGRES, REPLICAS, REST
from perf.ladder.table import middle

COLOURS = {LOAD: "#b8b8b8", EDGE: "#2a9d8f", REPLICAS: "#3366cc", POSTGRES: "#e07a1f", REST: "#e4e4e4"}
_INK, _GRID = "#222222", "#dddddd"
_RUNGS = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b", "#54278f", "#3f007d")
_FORMATS = {"answers a second": FuncFormatter(lambda value, _: f"{value:,.0f}")}
_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")

Result = dict[str, Any]


def plots(result: Result) -> dict[str, Figure]:
    """Each picture by its name."""
    drawn: dict[str, Callable[[Result], Figure]] = {"throughput": throughput, "latency": latency, "cpu": cpu}
    return {name: draw(result) for name, draw in drawn.items()}


def encoded(figure: Figure, form: str) -> bytes:
    """A picture's bytes: "png" or "svg"."""
    written = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(written, format=form, dpi=130)
    return written.getvalue()


def throughput(result: Result) -> Figure:
    """Answers a second against replicas, by load; bars from the slowest round to the fastest."""
    figure, (cold, hot) = _panels(1, 2, 3.9)
    for axes, load, title in ((cold, "cold", "Reads that miss"), (hot, "hot", "Reads that hit")):
        for climb in result["climbs"]:
            numbers = [rung["replicas"] for rung in climb["rungs"]]
            rounds = [rung["saturated"][load]["a second"] for rung in climb["rungs"]]
            heights = [middle(each) for each in rounds]
            reach = [[h - min(r) for h, r in zip(heights, rounds, strict=True)]]
            reach.append([max(r) - h for h, r in zip(heights, rounds, strict=True)])
            style = {"color": COLOURS[REPLICAS], "marker": "o"} if climb["quotas"] else {"color": "#888", "marker": "s"}
            axes.errorbar(numbers, heights, reach, capsize=3, label=climb["title"], **style)
            if climb["quotas"] and load == "cold":
                ideal = [n * heights[0] for n in numbers]
                axes.plot(numbers, ideal, ":", color=COLOURS[REPLICAS], linewidth=1.3, label="n times the first")
        _dress(axes, title, "replicas", "answers a second")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8)
    return figure


def latency(result: Result) -> Figure:
    """Latency against throughput when requests arrive by themselves: a line a rung, and the hits of the last rung."""
    climb = result["climbs"][-1]
    figure, panels = _panels(1, 3, 3.9)
    for axes, percentile in zip(panels[:2], ("p50 ms", "p99 ms"), strict=True):
        for number, rung in enumerate(climb["rungs"]):
            colour = _RUNGS[min(number, len(_RUNGS) - 1)]
            label = f"{rung['replicas']} replica{'s' if number else ''}"
            _curve(axes, rung["arrivals"]["cold"], percentile, colour, label)
        _dress(axes, f"Reads that miss: {percentile[:-3]}", "answers a second", "ms")
    for percentile, colour in (("p50 ms", "#9ad1ca"), ("p95 ms", COLOURS[EDGE]), ("p99 ms", "#14564e")):
        _curve(panels[2], climb["rungs"][-1]["arrivals"]["hot"], percentile, colour, percentile[:-3])
    _dress(panels[2], "Reads that hit", "answers a second", "ms")
    for axes in panels:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(_PLAIN)
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(left=0)
        axes.legend(frameon=False, fontsize=8)
    return figure


def cpu(result: Result) -> Figure:
    """Cores in use by part, and how much of its limit each part uses, a row a climb; reads that miss."""
    figure, panels = _panels(len(result["climbs"]), 2, 3.6 * len(result["climbs"]))
    for row, climb in enumerate(result["climbs"]):
        bars, lines = panels[2 * row : 2 * row + 2]
        numbers = [rung["replicas"] for rung in climb["rungs"]]
        cold = [rung["saturated"]["cold"] for rung in climb["rungs"]]
        floor = [0.0] * len(numbers)
        for part in (POSTGRES, REPLICAS, EDGE, LOAD, REST):
            heights = [middle(figures["cores"][part]) for figures in cold]
            bars.bar(numbers, heights, 0.6, floor, color=COLOURS[part], label=part)
            floor = [low + height for low, height in zip(floor, heights, strict=True)]
        bars.axhline(result["cores"], color=_INK, linewidth=1, linestyle="--")
        bars.set_ylim(0, result["cores"] * 1.35)
        _dress(bars, f"Cores in use: {climb['title']}", "replicas", f"cores, of {result['cores']}")
        bars.legend(frameon=False, fontsize=8, ncols=3, loc="upper left")
        for part in PARTS:
            shares = [100 * middle(one["cores"][part]) / one["limits"][part] for one in cold]
            lines.plot(numbers, shares, "o-", color=COLOURS[part], label=part)
        lines.axhline(100, color=_INK, linewidth=1, linestyle="--")
        lines.set_ylim(0, 135)
        _dress(lines, f"Of what each can have: {climb['title']}", "replicas", "%")
        lines.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")
        for axes in (bars, lines):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _panels(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(11, height), layout="constrained", facecolor="white")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _curve(axes: Axes, rates: list[dict[str, Any]], percentile: str, colour: str, label: str) -> None:
    across = [middle(figures["a second"]) for figures in rates]
    axes.plot(across, [middle(figures[percentile]) for figures in rates], "o-", color=colour, label=label)


def _dress(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    axes.tick_params(labelsize=8, color=_GRID)
    axes.grid(axis="y", color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_FORMATS.get(axis.get_label_text(), _PLAIN))
