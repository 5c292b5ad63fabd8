"""What a process says at /metrics, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Exposition:
    """``kinds`` are the types of the families, ``samples`` the values by name and labels."""

    kinds: Mapping[str, str]
    samples: Mapping[str, Mapping[Labels, float]]

    def value(self, name: str, **labels: str) -> float:
        """The value of one sample."""
        return self.samples[name][frozenset(labels.items())]

    def label_values(self, name: str) -> dict[str, set[str]]:
        """The labels of a sample, with the values that each has."""
        found: dict[str, set[str]] = {}
        for labels in self.samples[name]:
            for label, value in labels:
                found.setdefault(label, set()).add(value)
        return found


def exposition_of(text: str) -> Exposition:
    """``text`` parsed. Fails where a sample comes twice."""
    kinds: dict[str, str] = {}
    samples: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        kinds[family.name] = family.type
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            values = samples.setdefault(sample.name, {})
            assert labels not in values, sample
            values[labels] = sample.value
    return Exposition(kinds, samples)
