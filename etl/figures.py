"""The figures of a new catalogue, counted from what was read, as rows of their tables.

Counting them in the database takes a join of all ratings with all reviews; here both are at hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from etl.children import STARS
from etl.links import Links
from etl.numbers import Counts, Integers
from etl.wire import BIGINT, INTEGER, Encoded, arrays, encode, integers
from graphql_api.db.models import FIGURES_CELLS

_PRODUCTS = 20_000
_REVIEWS = 100_000


def product_figures(links: Links) -> Iterator[Encoded]:
    """A row for each product: its number, 20 counts, its photos; of visible reviews.

    For 20,000 products at a time all reviews are looked through for theirs: for the full set that is 0.2 s, and the
    counts of all products at once would be 84 MB.
    """
    numbers = links.products.numbers.values
    for first in range(0, len(numbers), _PRODUCTS):
        some = numbers[first : first + _PRODUCTS]
        counts, photos = np.zeros(len(some) * FIGURES_CELLS, np.int32), np.zeros(len(some), np.int32)
        for slots in _visible_of(links, first + 1, first + len(some)):
            homes = links.reviews.homes.at(slots).astype(np.int64) - 1 - first
            shown = links.reviews.photos.get_many(slots)
            np.add.at(counts, homes * FIGURES_CELLS + links.reviews.cells.at(slots) * 2 + (shown > 0), 1)
            np.add.at(photos, homes, shown)
        columns = [some, arrays(counts.reshape(-1, FIGURES_CELLS)), photos]
        yield encode([BIGINT, integers(FIGURES_CELLS), INTEGER], columns)


def _visible_of(links: Links, first: int, last: int) -> Iterator[Integers]:
    """The slots of the visible reviews of the products at the slots ``first`` to ``last``, a part at a time."""
    for start in range(0, links.reviews.length, _REVIEWS):
        homes = links.reviews.homes.values[start : start + _REVIEWS]
        cells = links.reviews.cells.values[start : start + _REVIEWS]
        places = np.flatnonzero((homes >= first) & (homes <= last) & (cells >= 0))
        if len(places):
            yield places + start + 1


def characteristic_figures(links: Links) -> Iterator[Encoded]:
    """A row for each characteristic: its product, its number, five counts; of visible reviews."""
    for numbers, slots in links.characteristics.slots.items():
        columns = [links.characteristics.products_of(slots), numbers, arrays(links.ratings.counts_of(slots))]
        yield encode([BIGINT, BIGINT, integers(STARS)], columns)


def wrong_photo_counts(links: Links, assumed: Counts) -> tuple[list[int], list[int], list[int]]:
    """(products, reviews, photos) of the reviews that were stored with another number of photos than they have.

    The reviews are stored before their photos are judged: a photo that comes twice was counted twice.
    """
    products, reviews, photos = list[int](), list[int](), list[int]()
    for numbers, slots in links.reviews.slots.items():
        right = links.reviews.photos.get_many(slots)
        wrong = np.flatnonzero(assumed.get_many(numbers) != right)
        products += links.reviews.products_of(slots[wrong]).tolist()
        reviews += numbers[wrong].tolist()
        photos += right[wrong].tolist()
    return products, reviews, photos
