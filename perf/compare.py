"""Two saved results of the same kind beside each other: what differs by more than the rounds of each do.

A figure differs beyond the noise when the medians lie further apart than both spreads together (a spread goes from the
lowest round to the highest), and by 3 % or more. A figure that was kept without its rounds gets the widest relative
spread of those of its file that have them. Peers are shown and not judged: they say how much the machine differs.

Run it with ``make bench-compare RESULT=new.json WITH=old.json``; it ends with 1 if a figure got worse.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perf.figures import ABOUT, Figure, figures, kind_of

LEAST = 0.03
"""A smaller difference is none, however alike the rounds were."""
BETTER, WORSE, OTHER, SAME = "better", "worse", "differs", ""


@dataclass(frozen=True)
class Difference:
    """One figure that both results have."""

    path: str
    new: Figure
    old: Figure

    @property
    def ratio(self) -> float:
        """The new median over the old one; infinite over none."""
        if self.old.median:
            return self.new.median / self.old.median
        return math.inf if self.new.median else 1.0

    @property
    def word(self) -> str:
        """``BETTER`` or ``WORSE``, ``OTHER`` where neither way is better, ``SAME`` within the noise."""
        apart = abs(self.new.median - self.old.median)
        if apart <= self.new.spread + self.old.spread or apart < LEAST * abs(self.old.median):
            return SAME
        if not self.new.better:
            return OTHER
        return BETTER if (self.new.median > self.old.median) == (self.new.better > 0) else WORSE


def compared(new: dict[str, Any], old: dict[str, Any]) -> list[Difference]:
    """The figures that both have. Raises ``ValueError`` where they are of different kinds."""
    if kind_of(new) != kind_of(old):
        raise ValueError(f"one is of the kind {kind_of(new)}, the other of the kind {kind_of(old)}")
    known = figures(old)
    return [Difference(path, figure, known[path]) for path, figure in figures(new).items() if path in known]


def main() -> None:
    """Print what differs. Ends with 1 if a figure got worse, with 2 if nothing can be said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path, help="the new result")
    parser.add_argument("old", type=Path, nargs="?", help="what it is compared with; else the last one before it")
    parser.add_argument("--all", action="store_true", help="show the figures that do not differ too")
    given = parser.parse_args()
    try:
        before = given.old or one_before(given.result)
        new, old = (json.loads(path.read_text()) for path in (given.result, before))
        differences = compared(new, old)
    except (OSError, ValueError) as error:
        print(f"They cannot be compared: {error}.", file=sys.stderr)
        sys.exit(2)
    print(f"{given.result} beside {before}")
    for name in ABOUT:
        if new.get(name) != old.get(name):
            print(f"Not the same {name}: {new.get(name)}; before: {old.get(name)}")
    _show(differences, everything=given.all)
    sys.exit(any(one.word == WORSE for one in differences))


def one_before(result: Path) -> Path:
    """The newest of the older results of the same name in its folder. Raises ``ValueError`` where there is none."""
    name = re.sub(r"\d.*", "", result.name)
    older = [path for path in result.parent.glob(f"{name}[0-9]*.json") if path.name < result.name]
    if not older:
        raise ValueError(f"{result.parent} has no older result of that name: give one with WITH=…")
    return max(older, key=lambda path: path.name)


def _show(differences: list[Difference], *, everything: bool) -> None:
    shown = [one for one in differences if one.word or everything]
    width = max((len(one.path) for one in shown), default=0)
    if shown:
        print(f"{'':{width}}{'median ± half the spread':>30}{'before':>24}{'ratio':>9}")
    for one in shown:
        new, old = (f"{figure.median:,.4g} ± {figure.spread / 2:,.2g}" for figure in (one.new, one.old))
        print(f"{one.path:{width}}{new:>30}{old:>24}{one.ratio:9.2f}  {one.word}")
    better, worse, other, same = (sum(one.word == word for one in differences) for word in (BETTER, WORSE, OTHER, SAME))
    print(
        f"Of {len(differences)} figures {better} are better, {worse} are worse, {other} differ where neither way is "
        f"better, and {same} are within the noise."
    )


if __name__ == "__main__":
    main()
