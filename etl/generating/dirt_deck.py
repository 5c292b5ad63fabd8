"""Which kind of dirt a row gets: each kind in turn, so that all of them occur, in an order of chance."""

from __future__ import annotations

from random import Random

from etl.generating.dialects import Dialect
from etl.generating.dirt_cleaned import cleaned_kinds
from etl.generating.dirt_files import shuffled
from etl.generating.dirt_kinds import Effect, Kind, Row
from etl.generating.dirt_rejected import rejected_kinds

_NUMBERS = {
    "products": ("id",),
    "characteristics": ("id", "product_id"),
    "reviews": ("id", "product_id", "rating", "helpfulness"),
    "photos": ("id", "review_id"),
    "ratings": ("id", "characteristic_id", "review_id", "value"),
}


class Deck:
    """The kinds of dirt of one table, and the distance from one spoilt row to the next."""

    def __init__(self, table: str, dialect: Dialect, random: Random, share: float) -> None:
        self._random, self._share = random, share
        numbers = _NUMBERS[table]
        prices = ("default_price",) if table == "products" else ()
        cleaned = list(cleaned_kinds(table, (*numbers, *prices), dialect))
        rejected = list(rejected_kinds(table, numbers, dialect))
        by_name: dict[str, list[Kind]] = {}
        for kind in cleaned:
            by_name.setdefault(kind.name, []).append(kind)
        # A card is a kind in one column, or one that is cleaned in each column by turns; about as many of either sort.
        often = max(1, round(len(rejected) / len(by_name)))
        self._cards = [*([[kind] for kind in rejected]), *(list(by_name.values()) * often)]
        self._piles: dict[frozenset[Effect], list[list[Kind]]] = {}
        self._ahead = self._gap()

    def pass_clean(self, count: int) -> bool:
        """Whether the next ``count`` rows stay clean; they count as passed then."""
        if count > self._ahead:
            return False
        self._ahead -= count
        return True

    def places(self, count: int) -> set[int]:
        """The places of the rows among the next ``count`` that get dirt; they count as passed."""
        found = set()
        while self._ahead < count:
            found.add(self._ahead)
            self._ahead += 1 + self._gap()
        self._ahead -= count
        return found

    def spoil(self, row: Row, effects: frozenset[Effect]) -> tuple[Kind, str]:
        """Spoil ``row`` with the next kind that fits it and has one of ``effects``; the kind and its reason."""
        pile = self._piles.setdefault(effects, [])
        place = 0
        while True:
            if place == len(pile):
                # What fits no row at hand goes back with the others, so that the pile does not grow.
                pile[:] = self._shuffled(effects)
                place = 0
            card = pile[place]
            for kind in card:
                reason = kind.spoil(row)
                if reason is not None:
                    card.remove(kind)
                    card.append(kind)
                    del pile[place]
                    return kind, reason
            place += 1

    def _shuffled(self, effects: frozenset[Effect]) -> list[list[Kind]]:
        """The cards of ``effects``: one of every name first, so that few spoilt rows have them all, then the others."""
        first: list[list[Kind]] = []
        others: list[list[Kind]] = []
        names: set[str] = set()
        for card in shuffled(self._random, [card for card in self._cards if card[0].effect in effects]):
            (others if card[0].name in names else first).append(card)
            names.add(card[0].name)
        return first + others

    def _gap(self) -> int:
        """How many rows stay clean: 0 up to twice the mean. Not by a logarithm, which may differ between machines."""
        return int(self._random.random() * (2 / self._share - 1))
