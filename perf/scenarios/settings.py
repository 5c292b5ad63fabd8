"""What a load test can be told: one variable each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


def _knob(variable: str, default: Any, low: float, high: float, text: str) -> Any:
    return field(default=default, metadata={"variable": variable, "low": low, "high": high, "help": text})


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """Shares of the users, their pace, and the bounds that a run must keep."""

    shopper: int = _knob("LOAD_SHOPPER", 70, 0, 1000, "Share of users who look at product pages and their reviews.")
    category: int = _knob("LOAD_CATEGORY", 20, 0, 1000, "Share of users who look at pages of product cards.")
    writer: int = _knob("LOAD_WRITER", 5, 0, 1000, "Share of users who vote, add reviews and report their own.")
    first_visit: int = _knob(
        "LOAD_FIRST_VISIT", 5, 0, 1000, "Share of users whose front end sends a document that nobody has sent before."
    )
    think_min_s: float = _knob("LOAD_THINK_MIN_S", 0.5, 0, 3600, "Shortest pause before a user's next step, seconds.")
    think_max_s: float = _knob("LOAD_THINK_MAX_S", 1.5, 0, 3600, "Longest pause before a user's next step, seconds.")
    products: int = _knob(
        "LOAD_PRODUCTS", 0, 0, 10**9, "Ask for the products numbered 1 to this; 0: the first 2,000 of the catalogue."
    )
    p95_ms: float = _knob(
        "LOAD_P95_MS", 400.0, 0, 10**9, "Milliseconds within which 95 % of answers come, of all and of each operation."
    )
    error_share: float = _knob("LOAD_ERROR_SHARE", 0.0, 0, 1, "Share of requests that may fail or be answered wrongly.")
    warmup_s: float = _knob("LOAD_WARMUP_S", 5.0, 0, 3600, "Seconds at the start whose times are not counted.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read ``environment``; an empty value counts as unset. Raises ``ValueError`` with a sentence."""
        known = {one.metadata["variable"]: one for one in dataclasses.fields(cls)}
        unknown = sorted(name for name in environment if name.startswith("LOAD_") and name not in known)
        if unknown:
            raise ValueError(f"{unknown[0]} is no setting of the load test: {', '.join(sorted(known))} are.")
        given: dict[str, Any] = {
            one.name: _read(one, environment[variable]) for variable, one in known.items() if environment.get(variable)
        }
        settings = cls(**given)
        if settings.think_min_s > settings.think_max_s:
            raise ValueError("LOAD_THINK_MIN_S is more than LOAD_THINK_MAX_S.")
        if not settings.shares:
            raise ValueError("All shares are 0: nobody would ask anything.")
        return settings

    @property
    def shares(self) -> dict[str, int]:
        """The share of each scenario that has one, by its setting's name."""
        every = {name: getattr(self, name) for name in ("shopper", "category", "writer", "first_visit")}
        return {name: share for name, share in every.items() if share}


def described() -> list[tuple[str, str, str]]:
    """Variable, default and help of each setting."""
    return [
        (one.metadata["variable"], f"{one.default:g}", one.metadata["help"]) for one in dataclasses.fields(LoadSettings)
    ]


def _read(one: dataclasses.Field[Any], text: str) -> Any:
    variable, low, high = (one.metadata[key] for key in ("variable", "low", "high"))
    try:
        value = type(one.default)(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        kind = "a whole number" if isinstance(one.default, int) else "a number"
        raise ValueError(f"{variable} is {text!r}: it must be {kind} from {low:g} to {high:g}.")
    return value
