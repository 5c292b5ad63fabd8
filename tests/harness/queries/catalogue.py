"""What a gateway's database holds, as its clients see it: ids and cursors taken from real answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql_api.schema import identity
from loaders.review_selection import SORTS

Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""The data of an answer without errors."""

_PRODUCTS = "{ catalog(first: 100) { edges { cursor node { id } } } categories { name } }"
_REVIEWS = " ".join(f"{sort}: reviews(first: 100, sort: {sort}) {{ ...R }}" for sort in SORTS)
_BELOW = f"""
query ($id: ID!) {{
  product(id: $id) {{
    {_REVIEWS}
    reviewPhotos(first: 100) {{ edges {{ cursor node {{ id }} }} }}
    characteristics {{ id }}
  }}
}}
fragment R on ReviewConnection {{ edges {{ cursor node {{ id }} }} }}
"""


class Cursor(NamedTuple):
    """A cursor of the connection ``field``; ``sort`` and ``product`` are what it belongs to, if to any."""

    text: str
    field: str
    sort: str | None
    product: int | None


@dataclass(frozen=True)
class Catalogue:
    """``ids``: global ones and plain numbers by the name of their type."""

    ids: dict[str, tuple[str, ...]]
    cursors: tuple[Cursor, ...]
    categories: tuple[str, ...]


async def catalogue_of(ask: Ask) -> Catalogue:
    """Everything that ``ask`` can see. Hidden and unknown things are the generator's to add."""
    root = await ask(_PRODUCTS, {})
    cursors = [Cursor(edge["cursor"], "catalog", None, None) for edge in root["catalog"]["edges"]]
    found = list(_ids(root))
    for product in tuple(found):
        _, (number,) = identity.decode(product) or ("", (0,))
        data = (await ask(_BELOW, {"id": product}))["product"]
        found.extend(_ids(data))
        for name, below in data.items():
            if name != "characteristics":
                field, sort = ("reviews", name) if name in SORTS else (name, None)
                cursors.extend(Cursor(edge["cursor"], field, sort, number) for edge in below["edges"])
    ids: dict[str, list[str]] = {name: [] for name in identity.NUMBERS}
    for one in dict.fromkeys(found):
        type_name, numbers = identity.decode(one) or ("", ())
        ids[type_name] += [one, str(numbers[-1])]
    categories = tuple(row["name"] for row in root["categories"])
    return Catalogue({name: tuple(dict.fromkeys(of)) for name, of in ids.items()}, tuple(cursors), categories)


def _ids(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for item in data:
            yield from _ids(item)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name == "id":
                yield value
            else:
                yield from _ids(value)
