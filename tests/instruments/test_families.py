"""Cells are numbers, and a scrape shows them as Prometheus wants them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from graphql_api.instruments.families import Counter, CounterOf, Family, Gauge, Histogram, Rows, added


def shown(family: Family, rows: Rows | None = None) -> list[str]:
    """The lines of samples."""

    class One(Collector):
        def collect(self) -> list[Metric]:
            return [family.metric(family.rows() if rows is None else rows)]

    registry = CollectorRegistry()
    registry.register(One())
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_counter_has_a_cell_for_each_combination_of_labels() -> None:
    counter = Counter("asked_total", "What was asked.", "of", "how")
    counter.cell("a", "well").value += 2
    counter.cell("b", "well").value += 1
    counter.cell("a", "well").value += 1
    assert shown(counter) == ['asked_total{how="well",of="a"} 3.0', 'asked_total{how="well",of="b"} 1.0']


def test_a_counter_without_labels_is_there_before_it_counts() -> None:
    assert shown(Counter("asked_total", "What was asked.")) == ["asked_total 0.0"]


def test_a_counter_of_what_is_counted_elsewhere_is_read_at_the_scrape() -> None:
    counted = {"a": 1}
    counter = CounterOf("asked_total", "What was asked.", "of", counted.items)
    counted["a"] = 5
    assert shown(counter) == ['asked_total{of="a"} 5.0']


def test_a_gauge_is_read_at_the_scrape() -> None:
    assert shown(Gauge("open", "What is open.", ("of",), lambda: {("a",): [4]})) == ['open{of="a"} 4.0']


def test_a_value_on_a_bound_is_below_it_and_buckets_count_the_smaller_ones_too() -> None:
    histogram = Histogram("seconds", "How long.", (0.1, 1.0), "of")
    for value in (0.05, 0.1, 0.25, 1.0, 3.0):
        histogram.cell("a").observe(value)
    assert shown(histogram) == [
        'seconds_bucket{le="0.1",of="a"} 2.0',
        'seconds_bucket{le="1.0",of="a"} 4.0',
        'seconds_bucket{le="+Inf",of="a"} 5.0',
        'seconds_count{of="a"} 5.0',
        'seconds_sum{of="a"} 4.4',
    ]


def test_rows_of_several_processes_are_added_number_by_number() -> None:
    rows: Rows = {("a",): [1, 2, 0.5]}
    added(rows, [(("a",), [1, 0, 0.25]), (("b",), [1, 1, 1])])
    assert rows == {("a",): [2, 2, 0.75], ("b",): [1, 1, 1]}
