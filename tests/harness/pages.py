"""Walking along a connection as a client does, and what such a walk should see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Ask = Callable[..., dict[str, Any]]
"""A connection's page by the arguments ``first``, ``after``, ``last`` and ``before``."""

# The fields that ``seen`` reads; %s is the field of a node that holds its plain number.
PAGE = """
edges { cursor node { %s } }
nodes { %s }
pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
"""
_MOST_PAGES = 100  # a walk that goes round in circles ends


class Seen(NamedTuple):
    """What one page shows: plain numbers, and whether its other fields say the same."""

    numbers: list[int]
    has_previous: bool
    has_next: bool
    nodes_are_those_of_the_edges: bool = True
    cursors_are_those_of_the_edges: bool = True


def seen(page: dict[str, Any]) -> Seen:
    """What ``page`` shows."""
    edges, info = page["edges"], page["pageInfo"]
    ends = (edges[0]["cursor"], edges[-1]["cursor"]) if edges else (None, None)
    return Seen(
        numbers_of(page),
        info["hasPreviousPage"],
        info["hasNextPage"],
        page["nodes"] == [edge["node"] for edge in edges],
        (info["startCursor"], info["endCursor"]) == ends,
    )


def numbers_of(page: dict[str, Any]) -> list[int]:
    """The plain numbers of a page's edges."""
    return [int(number) for edge in page["edges"] for number in edge["node"].values()]


def walk_forward(ask: Ask, size: int) -> list[Seen]:
    """The pages from the first one on, each after the end of the one before."""
    pages: list[Seen] = []
    after = None
    while not pages or (pages[-1].has_next and len(pages) < _MOST_PAGES):
        page = ask(first=size, after=after)
        pages.append(seen(page))
        after = page["pageInfo"]["endCursor"]
    return pages


def walk_backward(ask: Ask, size: int) -> list[Seen]:
    """The pages from the last one back, each before the start of the one after."""
    pages: list[Seen] = []
    before = None
    while not pages or (pages[-1].has_previous and len(pages) < _MOST_PAGES):
        page = ask(last=size, before=before)
        pages.append(seen(page))
        before = page["pageInfo"]["startCursor"]
    return pages


def pages_forward(numbers: Sequence[int], size: int) -> list[Seen]:
    """What ``walk_forward`` sees of ``numbers``."""
    count = len(numbers)
    return [
        Seen(list(numbers[low : low + size]), has_previous=low > 0, has_next=low + size < count)
        for low in range(0, max(count, 1), size)
    ]


def pages_backward(numbers: Sequence[int], size: int) -> list[Seen]:
    """What ``walk_backward`` sees of ``numbers``."""
    count = len(numbers)
    return [
        Seen(list(numbers[max(high - size, 0) : high]), has_previous=high > size, has_next=high < count)
        for high in range(count, min(0, count - 1), -size)
    ]
