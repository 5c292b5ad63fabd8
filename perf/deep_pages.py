"""Page 1,000 of a product with very many reviews against page 1, asked turn about on one connection."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from perf.catalogue import ABSENT, HOT, RARE, USUAL
from perf.load import Asking, Client, spelt_out
from perf.servers import Server, asking

SORTS = ("RELEVANT", "NEWEST", "HELPFUL", "HIGHEST_RATED", "LOWEST_RATED")
PAGE, SIZE = 1_000, 5
_BEFORE = (PAGE - 1) * SIZE
_STEP = 100
_FEWEST, _MOST = 3, 200
_FIVE_STARS = 5
Filters = dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]]
FILTERS: Filters = {
    "no filter": ({}, lambda _: True),
    "five stars": ({"ratings": [_FIVE_STARS]}, lambda review: review["rating"] == _FIVE_STARS),
    f"search {USUAL}": (
        {"search": USUAL},
        lambda review: any(
            word.startswith(USUAL) for word in re.findall(r"\w+", f"{review['summary']} {review['body']}".lower())
        ),
    ),
}
"""By name: the filter, and which reviews it shows."""
SEARCHES = {"usual": USUAL, "rare": RARE, "absent": ABSENT}
CATALOG_SEARCHES = {"usual": "every", "absent": ABSENT}
"""Words to search among all products: one in six has the first."""
_CATALOG = """
query Found($search: String, $after: String, $last: Int) {
  catalog(search: $search, after: $after, last: $last) {
    nodes { productId }
    pageInfo { hasPreviousPage hasNextPage endCursor }
  }
}
"""
_WALK = """
query Walk($id: ID!, $first: Int, $after: String, $sort: ReviewSort) {
  product(id: $id) {
    reviews(first: $first, after: $after, sort: $sort) { edges { cursor node { rating summary body } } }
  }
}
"""


def deep_pages(server: Server, *, seconds: float, by_text: bool) -> dict[str, dict[str, dict[str, float]]]:
    """By filter and sort: the medians of both pages in milliseconds, and their ratio."""
    figures: dict[str, dict[str, dict[str, float]]] = {name: {} for name in FILTERS}
    with Client(server.address) as client:
        for sort in SORTS:
            cursors = _ends_of_pages_before(client, sort, FILTERS)
            for name, (wanted, _) in FILTERS.items():
                first, deep = (
                    _more_reviews(sort, wanted, cursor, by_text=by_text).request() for cursor in (None, cursors[name])
                )
                _check(client.data(first), client.data(deep))
                one, thousand = _turn_about(client, [first, deep], seconds)
                figures[name][sort] = {"page 1": one, "page 1,000": thousand, "ratio": thousand / one}
    return figures


def searches(server: Server, *, seconds: float, by_text: bool) -> dict[str, dict[str, float]]:
    """By word and sort: the median of page 1 in milliseconds, its counts included; and how many reviews have it.

    Then the same behind page 1,000 of all reviews, where a page says too whether any of those before have the word.
    """
    figures: dict[str, dict[str, float]] = {}
    with Client(server.address) as client:
        whole = {"no filter": FILTERS["no filter"]}
        behind = {sort: _ends_of_pages_before(client, sort, whole)["no filter"] for sort in SORTS}
        for where, cursors in {"": dict.fromkeys(SORTS), f", behind page {PAGE:,}": behind}.items():
            for name, word in SEARCHES.items():
                requests = [
                    _more_reviews(sort, {"search": word}, cursors[sort], by_text=by_text).request() for sort in SORTS
                ]
                found = client.data(requests[0])["product"]["reviews"]["totalCount"]
                medians = _turn_about(client, requests, seconds)
                figures[f"{name}{where}"] = {"reviews": found, **dict(zip(SORTS, medians, strict=True))}
    return figures


def catalog_searches(server: Server, *, seconds: float) -> dict[str, float]:
    """By word: the median of a page of 20 products in milliseconds, and of the empty one that says what lies before."""
    with Client(server.address) as client:
        end = client.data(spelt_out(_CATALOG, {"last": 1}).request())["catalog"]["pageInfo"]["endCursor"]
        requests = {
            f"{name}{where}": spelt_out(_CATALOG, {"search": word, **bound}).request()
            for name, word in CATALOG_SEARCHES.items()
            for where, bound in {"": {}, ", behind all products": {"after": end}}.items()
        }
        for request in requests.values():
            client.data(request)
        medians = _turn_about(client, list(requests.values()), seconds)
        return dict(zip(requests, medians, strict=True))


def _more_reviews(sort: str, wanted: dict[str, Any], after: str | None, *, by_text: bool) -> Asking:
    variables = {"id": str(HOT), "first": SIZE, "after": after, "sort": sort, "filter": wanted}
    return asking("MoreReviews", variables, by_text=by_text)


def _ends_of_pages_before(client: Client, sort: str, filters: Filters) -> dict[str, str]:
    """By filter the cursor after which its page 1,000 begins.

    Found on one walk without a filter: a cursor is good for any, and a walk along a search takes minutes.
    """
    seen = dict.fromkeys(filters, 0)
    found: dict[str, str] = {}
    after = None
    while len(found) < len(filters):
        variables = {"id": str(HOT), "first": _STEP, "after": after, "sort": sort}
        edges = client.data(spelt_out(_WALK, variables).request())["product"]["reviews"]["edges"]
        if not edges:
            sys.exit(f"The product has no page {PAGE:,} under every filter: give it more reviews with --hot.")
        for edge in edges:
            for name, (_, shows) in filters.items():
                seen[name] += shows(edge["node"])
                if seen[name] == _BEFORE:
                    found.setdefault(name, edge["cursor"])
        after = edges[-1]["cursor"]
    return found


def _check(first: dict[str, Any], deep: dict[str, Any]) -> None:
    """End the program unless both pages are full, and the deep one begins after others."""
    pages = [data["product"]["reviews"] for data in (first, deep)]
    full = all(len(page["nodes"]) == SIZE for page in pages)
    if not full or pages[0]["pageInfo"]["hasPreviousPage"] or not pages[1]["pageInfo"]["hasPreviousPage"]:
        sys.exit(f"There is no page {PAGE:,}: {json.dumps(deep)[:200]}")


def _turn_about(client: Client, requests: list[bytes], seconds: float) -> list[float]:
    """The median milliseconds of each request, asked in turn for so long."""
    taken: list[list[float]] = [[] for _ in requests]
    end = time.monotonic() + seconds
    while len(taken[0]) < _FEWEST or (time.monotonic() < end and len(taken[0]) < _MOST):
        for times, request in zip(taken, requests, strict=True):
            times.append(client.ask(request)[0])
    return [statistics.median(times) for times in taken]
