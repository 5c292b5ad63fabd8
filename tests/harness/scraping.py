"""What ``/metrics`` tells, as Prometheus reads it."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

Figures = dict[tuple[str, ...], float]
"""A sample's name and its labels' values, those in the order of their names, with its number."""


def scraped(http: httpx.Client) -> Figures:
    """What a gateway tells now."""
    response = http.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, *(text for _, text in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def grown(before: Figures, after: Figures, name: str) -> dict[tuple[str, ...], float]:
    """By labels' values, how much the samples of ``name`` have changed, where they have."""
    changed = {key[1:]: value - before.get(key, 0) for key, value in after.items() if key[0] == name}
    return {labels: value for labels, value in changed.items() if value}
