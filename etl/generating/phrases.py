"""Pools of ready text, built once from the word lists, so that a review is a few look-ups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from etl.generating import words

POOL = 256
"""Entries in each pool; a power of two, so that an index is a mask."""

PEOPLE = 4096
SHORTEST_BODY, LONGEST_BODY = 17, 350
_LONGEST_PART = 115  # three of them, and two blanks, are within the longest body
_NO_PART = 0.14  # share of the middles and closers that are empty
_TWO_SENTENCES = 0.49  # share of parts with a second sentence where it fits: 189 characters a body in the mean


def pick(random: Random, choices: Sequence[str]) -> str:
    """One of ``choices``. Not ``random.choice``, whose sequence of numbers is not promised between versions."""
    return choices[int(random.random() * len(choices))]


@dataclass(frozen=True)
class Phrases:
    """The text pools of one category: summaries and the three parts of a body, by how content the reviewer is."""

    summaries: list[list[str]]
    openers: list[list[str]]
    middles: list[str]
    closers: list[list[str]]


def phrases(random: Random, item: str, *, plural: bool) -> Phrases:
    """Pools of what is said of ``item``."""

    def fill(template: str) -> str:
        return template.format(
            it=f"these {item}" if plural else f"this {item}",
            them="them" if plural else "it",
            item=item if plural else f"a {item}",
            color=pick(random, words.COLORS),
        )

    return Phrases(
        summaries=[[fill(pick(random, some)) for _ in range(POOL)] for some in words.SUMMARIES],
        openers=[_parts(random, some, fill, no_part=0) for some in words.OPENERS],
        middles=_parts(random, words.MIDDLES, fill, no_part=_NO_PART),
        closers=[_parts(random, some, fill, no_part=_NO_PART) for some in words.CLOSERS],
    )


def people(random: Random) -> list[tuple[str, str]]:
    """Names and e-mail addresses of reviewers."""
    return [_person(random, number) for number in range(PEOPLE)]


def _parts(random: Random, some: Sequence[str], fill: Callable[[str], str], *, no_part: float) -> list[str]:
    """Parts of bodies; those that may be empty begin with the blank that sets them off."""
    parts: list[str] = []
    while len(parts) < POOL:
        chance = random.random()
        if chance < no_part:
            parts.append("")
            continue
        place = int(random.random() * len(some))
        part = fill(some[place])
        if chance > 1 - _TWO_SENTENCES:
            part = f"{part} {fill(some[place - 1])}"
        if len(part) <= _LONGEST_PART:
            parts.append(f" {part}" if no_part else part)
    return parts


def _person(random: Random, number: int) -> tuple[str, str]:
    first, last = pick(random, words.FIRST_NAMES), pick(random, words.LAST_NAMES)
    return f"{first}_{last}{number % 100}", f"{first}.{last}{number}@example.com"
