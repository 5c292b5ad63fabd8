"""What rows of one folder say of each other: parents that are there, numbers that are new.

Parents are those of this folder: it is the whole export, so a parent that only the database has was taken out of the
shop, or belongs to another catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from etl.children import Photos, Ratings
from etl.folder import FILE_NAMES
from etl.parents import Characteristics, Products, Reviews
from etl.rules import Link

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Links:
    """The numbers of the files read so far. Files are read parents before children.

    ``expected``: about how many rows each file has, for which memory is taken at once. Where it is not enough more is
    taken, and a load that will not fit a machine fails in its first second and not in its third minute.
    """

    def __init__(self, *, products_known: bool, expected: Mapping[str, int] = _NOTHING) -> None:
        rows = {table: expected.get(table, 0) for table in FILE_NAMES}
        self.products = Products(rows["products"], known=products_known)
        self.characteristics = Characteristics(self.products, rows["characteristics"])
        self.reviews = Reviews(self.products, rows["reviews"])
        self.photos = Photos(self.reviews, rows["photos"])
        self.ratings = Ratings(self.reviews, self.characteristics, rows["ratings"], rows["characteristics"])

    def of(self, table: str) -> Link:
        """The rules of ``table``."""
        rules: dict[str, Link] = {
            "products": self.products,
            "characteristics": self.characteristics,
            "reviews": self.reviews,
            "photos": self.photos,
            "ratings": self.ratings,
        }
        return rules[table]
