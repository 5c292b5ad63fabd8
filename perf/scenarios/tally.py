"""What locust does not count by itself: the pace that users kept, and failures of the warm-up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Tally:
    """Of one process, or of all. Seconds are sums over all users."""

    requests: int = 0
    failures: int = 0
    thought_s: float = 0.0
    """What users planned to think."""
    waited_s: float = 0.0
    """What they waited for answers between."""
    late_s: float = 0.0
    """By how much they woke up later than planned: the asking machine is overloaded, or its processes are too few."""

    def add(self, more: dict[str, Any]) -> None:
        """Add what another process counted."""
        for name, value in more.items():
            setattr(self, name, getattr(self, name) + value)

    def taken(self) -> dict[str, Any]:
        """What was counted since the last time, to be told to the process that adds up."""
        found = asdict(self)
        for one in fields(self):
            setattr(self, one.name, one.default)
        return found

    @property
    def pace(self) -> float:
        """How fast users went, of 1 for answers that come at once: thinking / (thinking + waiting + being late)."""
        whole = self.thought_s + self.waited_s + self.late_s
        return self.thought_s / whole if whole else 1.0

    @property
    def lateness(self) -> float:
        """Being late / thinking."""
        return self.late_s / self.thought_s if self.thought_s else 0.0
