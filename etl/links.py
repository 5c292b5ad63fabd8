"""What rows of one folder say of each other: parents that are there, numbers that are new.

Parents are those of this folder: it is the whole export, so a parent that only the database has was taken out of the
shop, or belongs to another catalogue.
"""

from __future__ import annotations

from etl.children import Photos, Ratings
from etl.parents import Characteristics, Products, Reviews
from etl.rules import Link


class Links:
    """The numbers of the files read so far. Files are read parents before children."""

    def __init__(self, *, products_known: bool) -> None:
        self.products = Products(known=products_known)
        self.characteristics = Characteristics(self.products)
        self.reviews = Reviews(self.products)
        self.photos = Photos(self.reviews)
        self.ratings = Ratings(self.reviews, self.characteristics)

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
