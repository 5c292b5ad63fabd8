"""Which part of the system keeps it from answering more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FULL = 0.9
"""The share of its limit from which on a part counts as full: what waits for it keeps it from using the rest."""
MACHINE, NOTHING = "the machine", "nothing"


@dataclass(frozen=True)
class Use:
    """The cores that a part uses, those that it can have, and what limits it."""

    cores: float
    limit: float
    limited_by: str

    @property
    def share(self) -> float:
        """How much of its limit it uses."""
        return self.cores / self.limit


@dataclass(frozen=True)
class Bottleneck:
    """The part that is full, and the sentence that says so with its numbers."""

    part: str
    reading: str


def bottleneck(uses: Mapping[str, Use], *, machine: float, cores: int) -> Bottleneck:
    """Name the fullest part, else the machine, of which everything together uses ``machine`` of ``cores``.

    ``uses`` has the load generator too: where it is the fullest, the servers could have done more.
    """
    full = sorted((name for name, use in uses.items() if use.share >= FULL), key=lambda name: -uses[name].share)
    if full:
        reading = _sentence(full[0], uses[full[0]])
        if full[1:]:
            reading += f" Nearly as full: {', '.join(f'{name} ({uses[name].share:.0%})' for name in full[1:])}."
        return Bottleneck(full[0], reading)
    if machine >= FULL * cores:
        used = {name: use.cores for name, use in uses.items()}
        used["everything else"] = max(0.0, machine - sum(used.values()))
        shares = ", ".join(f"{name} {used[name]:.2f}" for name in sorted(used, key=lambda name: -used[name]))
        return Bottleneck(MACHINE, f"The machine is full: {machine:.2f} of its {cores} cores are used, by {shares}.")
    nearest = max(uses, key=lambda name: uses[name].share)
    return Bottleneck(
        NOTHING,
        f"No part is at its limit: {nearest} is nearest, at {uses[nearest].share:.0%}; {machine:.2f} of {cores} cores "
        "are used. The connections wait for answers that nothing holds up for long: ask over more of them.",
    )


def _sentence(name: str, use: Use) -> str:
    named = f"The {name}" if name.islower() else name
    return f"{named} used {use.cores:.2f} of {use.limit:.2f} cores ({use.share:.0%}), {use.limited_by}."
