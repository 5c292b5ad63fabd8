"""What the checker asks, and what it takes from an answer: each kind of read that a tag must cover."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from graphql_api.schema.identity import encode
from tests.edge.checking.client import get
from tests.edge.checking.world import Quantity, Seen, Shown, World

DOCUMENTS = {
    "Page": """query Page($id: ID!, $voted: ID!) {
  product(id: $id) {
    shown: id name summary: ratingSummary { n: count }
    reviews(first: 5, sort: NEWEST) { t: totalCount nodes { summary body rating helpfulness photos { url } } }
  }
  review(id: $voted) { v: helpfulness body }
}""",
    "Totals": """query Totals($id: ID!) {
  product(id: $id) {
    shown: id
    all: reviews(first: 1, sort: HELPFUL) { t: totalCount }
    some: reviews(first: 1, sort: LOWEST_RATED, filter: { ratings: [1, 2, 3, 4, 5] }) { t: totalCount }
    reviews(first: 1) { ratingCounts { c: count } }
  }
}""",
    "Cards": """query Cards($ids: [ID!]!) { products(ids: $ids) { id name ratingSummary { n: count } } }""",
    "Catalog": """query Catalog($after: String) {
  catalog(first: 20, after: $after) { nodes { id name ratingSummary { n: count } } pageInfo { endCursor } }
}""",
    "Review": "query Review($id: ID!) { review(id: $id) { v: helpfulness } }",
    "Nodes": """query Nodes($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Review { v: helpfulness } ... on Product { ratingSummary { n: count } } }
}""",
    "Long": """query Long($id: ID!) {
  product(id: $id) { shown: id reviews(first: 100, sort: NEWEST) { t: totalCount nodes { summary body reviewerName } } }
}""",
    "Categories": "query Categories { categories { name productCount } }",
}
HASHES = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in DOCUMENTS.items()}

_N, _T, _V, _C = (re.compile(rb'"%s":(\d+)' % name) for name in (b"n", b"t", b"v", b"c"))
_SHOWN = re.compile(rb'"shown":"([^"]+)"')
_CARD = re.compile(rb'"id":"([^"]+)","name":.*?"n":(\d+)', re.DOTALL)


class Claim(NamedTuple):
    """What an answer must show of a quantity, as known when the question was sent."""

    quantity: Quantity
    seen: Seen
    product: int
    """Whose it is."""


class Question(NamedTuple):
    """A request, and how its answer is judged."""

    name: str
    request: bytes
    claims: list[Claim]
    number: int | None = None
    """A plain review number that must be found if it was acknowledged."""
    must_be_found: bool = False

    def values(self, body: bytes) -> Iterator[tuple[Claim, int]]:
        """Each quantity that the answer shows, with the value. Raises ``ValueError`` where it does not show it."""
        found: list[int]
        if self.name in {"Cards", "Catalog"}:
            cards = _CARD.findall(body)
            for claim, (shown, _) in zip(self.claims, cards, strict=False):
                if shown.decode() != encode("Product", claim.product):
                    raise ValueError(f"{self.name}: {shown!r} stands where product {claim.product} should")
            found = [int(value) for _, value in cards]
        elif self.name == "Totals":
            found = [int(value) for value in _T.findall(body)]
            found.append(sum(int(value) for value in _C.findall(body)))
        else:
            found = [int(value) for pattern in (_N, _T, _V) for value in pattern.findall(body)]
        if self.number is not None:
            return
        for shown in _SHOWN.findall(body):
            if shown.decode() != encode("Product", self.claims[0].product):
                raise ValueError(f"{self.name}: {shown!r} stands where product {self.claims[0].product} should")
        if len(found) != len(self.claims):
            raise ValueError(f"{self.name}: {len(self.claims)} numbers expected, {len(found)} found")
        yield from zip(self.claims, found, strict=True)


def path_of(name: str, variables: dict[str, object]) -> str:
    """The URL of a document with variables."""
    return f"/graphql/p/{HASHES[name]}/{name}?variables={quote(json.dumps(variables, separators=(',', ':')))}"


class Asker:
    """Draws questions: products by Zipf's law, kinds by what shops see."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        total = 0.0
        self._weights = [total := total + 1 / rank for rank in range(1, len(world.products) + 1)]
        self._kinds = ["Page", "Totals", "Cards", "Catalog", "Review", "Nodes", "Number", "Long", "Categories"]
        self._shares = [50, 12, 8, 4, 8, 8, 7, 1, 2]

    def product(self) -> Shown:
        """A product."""
        return self._random.choices(self._world.products, cum_weights=self._weights)[0]

    def question(self, edge: int) -> Question:
        """A question for ``edge``."""
        kind = self._random.choices(self._kinds, self._shares)[0]
        if kind == "Number":
            return self._number(edge)
        if kind in {"Cards", "Catalog"}:
            return self._cards(kind, edge)
        product = self.product()
        count, votes = (
            Claim(quantity, quantity.seen(edge), product.number) for quantity in (product.count, product.votes)
        )
        number, voted = str(product.number), encode("Review", product.number, product.voted)
        if self._random.random() < 0.5 and kind != "Nodes":
            voted = str(product.voted)
        variables: dict[str, object]
        variables, claims = {
            "Page": ({"id": number, "voted": voted}, [count, count, votes]),
            "Totals": ({"id": number}, [count, count, count]),
            "Long": ({"id": number}, [count]),
            "Review": ({"id": voted}, [votes]),
            "Nodes": ({"ids": [encode("Product", product.number), voted]}, [count, votes]),
            "Categories": ({}, []),
        }[kind]
        return Question(kind, get(path_of(kind, variables)), claims)

    def _number(self, edge: int) -> Question:
        # Around the newest: some are there, some come to be.
        number = self._world.newest + self._random.randint(-10, 6)
        request = get(path_of("Review", {"id": str(number)}))
        return Question("Number", request, [], number, must_be_found=number in self._world.added[edge])

    def _cards(self, kind: str, edge: int) -> Question:
        products = self._world.products
        if kind == "Catalog":
            shown = products[:20]
            variables: dict[str, object] = {"after": None}
        else:
            start = self._random.randrange(max(1, len(products) // 20)) * 20
            shown = products[start : start + 20]
            variables = {"ids": [str(product.number) for product in shown]}
        claims = [Claim(product.count, product.count.seen(edge), product.number) for product in shown]
        return Question(kind, get(path_of(kind, variables)), claims)
