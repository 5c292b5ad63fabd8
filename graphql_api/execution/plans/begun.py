"""What of an object's fields has begun before they are written."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql_api.execution.plans.selection import Selected


@dataclass(eq=False)
class Begun:
    """What of a field began before it is written: its object is made, or its load is under way."""

    made: str | None = None
    pending: str | None = None
    """The name of the future, ``None`` in it where there is nothing to load."""
    count: str | None = None
    """Of several loads, the expression for how many."""
    with_product: bool = False
    """Whether it came with the product's row where there is no future."""
    below: dict[Selected, Begun] = field(default_factory=dict)


@dataclass(frozen=True)
class WithPage:
    """A product whose load begins with that of a ``page``: the arguments that say what is loaded, and its future."""

    page: Selected
    call: str
    pending: str


Started = dict[Selected, Begun]
