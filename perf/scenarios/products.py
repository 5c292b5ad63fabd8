"""Which products there are to ask for, and how often each is."""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import Sequence
from typing import Any, Self

MOST = 2_000
_PAGE = 100
_CATALOGUE = (
    "query LoadCatalogue($after: String) {"
    f" catalog(first: {_PAGE}, after: $after) {{ nodes {{ id }} pageInfo {{ endCursor hasNextPage }} }} }}"
)


class Products:
    """Ids, global or plain; the n-th is asked for 1/n times as often as the first, as Zipf's law has it."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids
        total = 0.0
        self._weights = [total := total + 1 / rank for rank in range(1, len(ids) + 1)]

    def one(self) -> str:
        """A product."""
        return random.choices(self.ids, cum_weights=self._weights)[0]

    def neighbours(self, most: int) -> Sequence[str]:
        """A page of the catalogue: at most so many products that follow each other."""
        start = random.randrange(0, len(self.ids), most)
        return self.ids[start : start + most]

    @classmethod
    def numbered(cls, highest: int) -> Self:
        """The products numbered 1 to ``highest``."""
        return cls([str(number) for number in range(1, highest + 1)])

    @classmethod
    def of(cls, address: str) -> Self:
        """The first ``MOST`` of the gateway at ``address``. Raises ``ValueError`` where it does not tell."""
        ids: list[str] = []
        after = None
        while len(ids) < MOST:
            found = _asked(address, after)
            ids += [product["id"] for product in found["nodes"]]
            after = found["pageInfo"]["endCursor"]
            if not found["pageInfo"]["hasNextPage"]:
                break
        if not ids:
            raise ValueError(f"The catalogue of {address} is empty: there is nothing to ask for.")
        return cls(ids)


def _asked(address: str, after: str | None) -> dict[str, Any]:
    body = json.dumps({"query": _CATALOGUE, "variables": {"after": after}}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            found: dict[str, Any] = json.load(response)["data"]["catalog"]
            return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{address} does not tell its products ({type(error).__name__}): name how many with LOAD_PRODUCTS."
        ) from error
