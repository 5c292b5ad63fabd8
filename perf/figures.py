"""The figures of a saved result, whatever it measured: each with its path, its spread and the way that is better."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KINDS = {
    "climbs": "ladder",
    "cases": "edge",
    "pages": "pages",
    "cards": "pages",
    "deep pages": "pages",
    "overload": "overload",
}
"""What was measured, by a key that a result of the kind has."""
PEERS = frozenset({"postgraphile", "mercurius", "plain", "bound"})
"""What is measured beside us. It is not judged: it says how much the machine differs."""
ABOUT = ("machine", "versions", "catalogue", "settings", "quotas")
"""What should be the same of two results."""
_OTHER = frozenset({*ABOUT, "when", "cores", "rounds", "seconds"})
# The first that fits a figure's path counts; 1: more is better, -1: less is, 0: neither.
_BETTER = (
    (re.compile(r"bytes|ratio|p99 / median|/ reviews$|/ (rate|share|replicas)$|/ (limits|cache|cores|held back) /"), 0),
    (re.compile(r"asked for|generator"), 0),
    (re.compile(r"a second|a_second|cheaper"), 1),
    (re.compile(r"\bms\b|_us$|errors|^deep pages|^searches|pool waiting"), -1),
)
_UNKNOWN_SPREAD = 0.1
"""The relative spread of a figure in a file that has no rounds at all."""


@dataclass(frozen=True)
class Figure:
    """A median, the distance from the lowest round to the highest, and the better way: 1 up, -1 down, 0 neither."""

    median: float
    spread: float
    better: int


def kind_of(result: dict[str, Any]) -> str:
    """What was measured: "ladder", "edge", "overload" or "pages". Raises ``ValueError`` for anything else."""
    for name, kind in KINDS.items():
        if name in result:
            return kind
    raise ValueError("it is no result of make ladder, make bench, make bench-edge or make bench-overload")


def figures(result: dict[str, Any]) -> dict[str, Figure]:
    """Every figure by its path, such as ``climbs / With quotas / rungs / replicas 2 / saturated / cold / p50 ms``.

    One that was kept without its rounds has the widest relative spread of those that have them.
    """
    found: dict[str, Figure] = {}
    single: dict[str, float] = {}
    for path, value in _leaves(result, ""):
        if isinstance(value, list):
            found[path] = Figure(statistics.median(value), max(value) - min(value), _better(path))
        else:
            single[path] = value
    for path in [path for path in single if path.endswith("slowest a second")]:
        spread = single.pop(path.replace("slowest", "fastest")) - single.pop(path)
        own = path.replace("slowest a second", "a second")
        found[own] = Figure(single.pop(own), spread, _better(own))
    spreads = [figure.spread / abs(figure.median) for figure in found.values() if figure.better and figure.median]
    widest = max(spreads, default=_UNKNOWN_SPREAD)
    return found | {path: Figure(value, widest * abs(value), _better(path)) for path, value in single.items()}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, float | list[float]]]:
    """Numbers, and lists of them that are the rounds of one. An item of another list is named by its first member."""
    if isinstance(value, dict):
        for name, part in value.items():
            if path or name not in _OTHER:
                yield from _leaves(part, f"{path} / {name}" if path else name)
    elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        for part in value:
            name, first = next(iter(part.items()))
            yield from _leaves(part, f"{path} / {first if name == 'title' else f'{name} {first}'}")
    elif _is_number(value) or (isinstance(value, list) and value and all(map(_is_number, value))):
        yield path, value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _better(path: str) -> int:
    if PEERS & set(path.split(" / ")):
        return 0
    return next((way for words, way in _BETTER if words.search(path)), 0)
