"""What each file holds: its columns, how their values are read, and in which order they go to its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from etl.columns import Column, boolean, count, identifier, kind, moment, optional_text, price, text, whole_number

LONGEST_BODY = 10_000
LONGEST_TEXT = 2_000
MOST_CATEGORY_BYTES = 2_600
"""An entry of the index on categories holds 2,704 bytes, the product's number and what PostgreSQL adds included."""


@dataclass(frozen=True)
class Shape:
    """One file. ``columns`` goes by the file's column names, in the order of the values that a row becomes."""

    table: str
    columns: Mapping[str, Column]
    e_mail: str | None = None
    """The column that no report may show."""


def shapes(first_number: int, now: datetime) -> dict[str, Shape]:
    """The shape of each table's file; numbers must be below ``first_number``, dates not after ``now``."""
    number = identifier(first_number)
    stars = whole_number(1, 5)
    words, some_words = optional_text(LONGEST_TEXT), text(LONGEST_TEXT, blank=False)
    maybe_blank = text(LONGEST_TEXT, blank=True)
    all_shapes = (
        Shape(
            "products",
            {
                "id": number,
                "name": some_words,
                "slogan": words,
                "description": words,
                "category": optional_text(LONGEST_TEXT, MOST_CATEGORY_BYTES),
                "default_price": price(),
            },
        ),
        Shape("characteristics", {"product_id": number, "id": number, "name": kind()}),
        Shape(
            "reviews",
            {
                "product_id": number,
                "id": number,
                "rating": stars,
                "date": moment(now),
                "summary": maybe_blank,
                "body": text(LONGEST_BODY, blank=True),
                "recommend": boolean(),
                "reported": boolean(),
                "reviewer_name": maybe_blank,
                "reviewer_email": maybe_blank,
                "response": words,
                "helpfulness": count(),
            },
            e_mail="reviewer_email",
        ),
        Shape("photos", {"review_id": number, "id": number, "url": some_words}),
        Shape("ratings", {"review_id": number, "characteristic_id": number, "id": number, "value": stars}),
    )
    return {shape.table: shape for shape in all_shapes}
