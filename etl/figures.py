"""The figures of a new catalogue, counted from what was read, as rows of their tables.

Counting them in the database takes a join of all ratings with all reviews; here both are at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from etl.children import STARS
from etl.links import Links
from etl.numbers import Numbers
from etl.wire import BIGINT, INTEGER, Encoded, arrays, encode, integers
from graphql_api.db.models import FIGURES_CELLS

_ROWS = 100_000


def product_figures(links: Links) -> Iterator[Encoded]:
    """A row for each product: its number, 20 counts, its photos; of visible reviews."""
    reviews, numbers = links.reviews, links.products.numbers.values
    flat, shown = np.zeros(len(numbers) * FIGURES_CELLS, np.int32), np.zeros(len(numbers), np.int32)
    # Added in place and a part at a time: bincount over all would take 300 MB more for the full set.
    for start in range(0, reviews.numbers.length, _ROWS):
        some = slice(start, start + _ROWS)
        visible = reviews.cells.values[some] >= 0
        homes = reviews.homes.values[some][visible].astype(np.int64) - 1
        photos = reviews.photos.values[some][visible]
        cells = reviews.cells.values[some][visible].astype(np.int64) * 2 + (photos > 0)
        np.add.at(flat, homes * FIGURES_CELLS + cells, 1)
        np.add.at(shown, homes, photos)
    counts = flat.reshape(-1, FIGURES_CELLS)
    for start in range(0, len(numbers), _ROWS):
        some = slice(start, start + _ROWS)
        columns = [numbers[some], arrays(counts[some]), shown[some]]
        yield encode([BIGINT, integers(FIGURES_CELLS), INTEGER], columns)


def characteristic_figures(links: Links) -> Iterator[Encoded]:
    """A row for each characteristic: its product, its number, five counts; of visible reviews."""
    characteristics = links.characteristics
    numbers = characteristics.numbers.values
    products = links.products.numbers.at(characteristics.homes.values)
    flat = links.ratings.counts if len(links.ratings.counts) else np.zeros(len(numbers) * STARS, np.int32)
    counts = flat.reshape(-1, STARS)
    for start in range(0, len(numbers), _ROWS):
        some = slice(start, start + _ROWS)
        columns = [products[some], numbers[some], arrays(counts[some])]
        yield encode([BIGINT, BIGINT, integers(STARS)], columns)


def wrong_photo_counts(links: Links, assumed: Numbers) -> tuple[list[Any], list[Any], list[Any]]:
    """(products, reviews, photos) of the reviews that were stored with another number of photos than they have.

    The reviews are stored before their photos are judged: a photo that comes twice was counted twice.
    """
    reviews = links.reviews
    numbers, photos = reviews.numbers.values, reviews.photos.values
    wrong = np.flatnonzero(assumed.get_many(numbers) != photos)
    return reviews.products_of(wrong + 1).tolist(), numbers[wrong].tolist(), photos[wrong].tolist()
