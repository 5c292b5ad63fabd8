"""Figures as plain numbers: what counts holds its cell and adds to it, and a scrape makes metrics of the cells.

A child of prometheus-client takes a lock for each number, a histogram's two; a cell is an attribute or an item of a
list. All of it belongs to the one thread of the event loop.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]
Rows = dict[Labels, list[float]]
"""The numbers of a family by its labels' values: of a counter or gauge one, of a histogram those of its cells."""


class Count:
    """A cell that grows: ``count.value += 1``."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Distribution:
    """A cell that sorts what it observes: how many values fell below each bound and beyond all, then their sum."""

    __slots__ = ("_bounds", "values")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.values: list[float] = [0] * (len(bounds) + 2)

    def observe(self, value: float) -> None:
        """One more value."""
        values = self.values
        values[bisect_left(self._bounds, value)] += 1
        values[-1] += value


class Counter:
    """A number that only grows, a cell for each combination of labels."""

    is_lasting = True
    """Whether what a process has counted stays true after its end."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self._cells: dict[Labels, Count] = {} if labels else {(): Count()}

    def cell(self, *labels: str) -> Count:
        """The cell of these labels' values, to be kept by whoever counts often. There must be an end of them."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Count()
        return cell

    def rows(self) -> Rows:
        """What was counted until now."""
        return {labels: [cell.value] for labels, cell in self._cells.items()}

    def metric(self, rows: Rows) -> Metric:
        """``rows`` as prometheus-client shows them."""
        family = CounterMetricFamily(self.name, self._text, labels=self._labels)
        for labels, (value,) in rows.items():
            family.add_metric(labels, value)
        return family


class CounterOf(Counter):
    """A counter of what is counted elsewhere: ``read`` gives the numbers by the value of its one label."""

    def __init__(self, name: str, text: str, label: str, read: Callable[[], Iterable[tuple[str, int]]]) -> None:
        super().__init__(name, text, label)
        self._read = read

    def rows(self) -> Rows:
        """What was counted until now."""
        return {(label,): [value] for label, value in self._read()}


class Gauge:
    """A number that comes and goes, read at a scrape."""

    is_lasting = False

    def __init__(self, name: str, text: str, labels: Sequence[str], read: Callable[[], Rows]) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self.rows = read

    def metric(self, rows: Rows) -> Metric:
        """``rows`` as prometheus-client shows them."""
        family = GaugeMetricFamily(self.name, self._text, labels=self._labels)
        for labels, (value,) in rows.items():
            family.add_metric(labels, value)
        return family


class Histogram:
    """How values are distributed over ``bounds``, a cell for each combination of labels."""

    is_lasting = True

    def __init__(self, name: str, text: str, bounds: Sequence[float], *labels: str) -> None:
        self.name = name
        self._text = text
        self._bounds = bounds
        self._labels = labels
        self._cells: dict[Labels, Distribution] = {} if labels else {(): Distribution(bounds)}

    def cell(self, *labels: str) -> Distribution:
        """The cell of these labels' values, to be kept by whoever observes often. There must be an end of them."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Distribution(self._bounds)
        return cell

    def rows(self) -> Rows:
        """What was observed until now."""
        return {labels: list(cell.values) for labels, cell in self._cells.items()}

    def metric(self, rows: Rows) -> Metric:
        """``rows`` as prometheus-client shows them: each bucket counts what the smaller ones do, too."""
        family = HistogramMetricFamily(self.name, self._text, labels=self._labels)
        for labels, (*counts, total) in rows.items():
            buckets, below = [], 0.0
            for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
                below += count
                buckets.append((_shown(bound), below))
            family.add_metric(labels, buckets, total)
        return family


def _shown(bound: float) -> str:
    text: str = floatToGoString(bound)  # type: ignore[no-untyped-call] # as prometheus-client has it
    return text


Family = Counter | Gauge | Histogram


def added(rows: Rows, more: Iterable[tuple[Labels, Sequence[float]]]) -> None:
    """Add ``more`` to ``rows``, number by number."""
    for labels, values in more:
        sums = rows.get(labels)
        rows[labels] = list(values) if sums is None else [a + b for a, b in zip(sums, values, strict=True)]
