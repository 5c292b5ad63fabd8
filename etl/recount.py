"""Statements that count the figures again from the rows and name every one that differs from what is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import array

from graphql_api.db.models import (
    FIGURES_CELLS,
    CategoryFigures,
    Characteristic,
    CharacteristicFigures,
    Photo,
    Product,
    ProductFigures,
    Rating,
    Review,
)

Differences = Select[Any, Any, Any, Any]
_STARS = 5


def _counts(places: int, place: Any) -> ColumnElement[Any]:
    """How many rows there are of each place from 1 to ``places``."""
    return array([cast(func.count().filter(place == number), Integer) for number in range(1, places + 1)])


def _zeros(places: int) -> ColumnElement[Any]:
    return func.array_fill(literal(0, Integer), array([literal(places, Integer)]))


def _photos() -> Any:
    """The number of photos of each review that has any."""
    return (
        select(Photo.product_id, Photo.review_id, cast(func.count(), Integer).label("n"))
        .group_by(Photo.product_id, Photo.review_id)
        .subquery()
    )


def photo_counts() -> Differences:
    """(product, what, expected, found) of each review whose ``photo_count`` is wrong."""
    photos = _photos()
    expected = func.coalesce(photos.c.n, 0)
    return (
        select(Review.product_id, Review.review_id, expected, Review.photo_count)
        .outerjoin(photos, and_(photos.c.product_id == Review.product_id, photos.c.review_id == Review.review_id))
        .where(Review.photo_count != expected)
    )


def product_figures() -> Differences:
    """(product, what, expected, found) of each product whose figures are wrong or missing."""
    photos = _photos()
    photo_count = func.coalesce(photos.c.n, 0)
    counted = (
        select(
            Review.product_id,
            _counts(FIGURES_CELLS, func.figures_cell(Review.rating, Review.recommended, photo_count)).label("counts"),
            func.sum(photo_count).label("photos"),
        )
        .outerjoin(photos, and_(photos.c.product_id == Review.product_id, photos.c.review_id == Review.review_id))
        .where(~Review.reported)
        .group_by(Review.product_id)
        .subquery()
    )
    expected = func.coalesce(counted.c.counts, _zeros(FIGURES_CELLS))
    expected_photos = func.coalesce(counted.c.photos, 0)
    return (
        select(
            Product.product_id,
            literal(None),
            func.array_append(expected, cast(expected_photos, Integer)),
            func.array_append(ProductFigures.counts, ProductFigures.photo_count),
        )
        .outerjoin(counted, counted.c.product_id == Product.product_id)
        .outerjoin(ProductFigures, ProductFigures.product_id == Product.product_id)
        .where(
            ProductFigures.counts.is_distinct_from(expected)
            | ProductFigures.photo_count.is_distinct_from(expected_photos)
        )
    )


def characteristic_figures() -> Differences:
    """(product, characteristic, expected, found) of each characteristic whose figures are wrong or missing."""
    counted = (
        select(Rating.product_id, Rating.characteristic_id, _counts(_STARS, Rating.value).label("counts"))
        .join(Review, and_(Review.product_id == Rating.product_id, Review.review_id == Rating.review_id))
        .where(~Review.reported)
        .group_by(Rating.product_id, Rating.characteristic_id)
        .subquery()
    )
    expected = func.coalesce(counted.c.counts, _zeros(_STARS))
    one, kept = Characteristic, CharacteristicFigures
    return (
        select(one.product_id, one.characteristic_id, expected, kept.counts)
        .outerjoin(
            counted,
            and_(counted.c.product_id == one.product_id, counted.c.characteristic_id == one.characteristic_id),
        )
        .outerjoin(kept, and_(kept.product_id == one.product_id, kept.characteristic_id == one.characteristic_id))
        .where(kept.counts.is_distinct_from(expected))
    )


def category_figures() -> Differences:
    """(nothing, category, expected, found) of each category whose figure is wrong, missing or too many."""
    category = func.coalesce(Product.category, "")
    counted = select(category.label("category"), func.count().label("n")).group_by(category).subquery()
    return (
        select(
            literal(None),
            func.coalesce(counted.c.category, CategoryFigures.category),
            counted.c.n,
            CategoryFigures.product_count,
        )
        .select_from(counted)
        .join(CategoryFigures, CategoryFigures.category == counted.c.category, full=True)
        .where(CategoryFigures.product_count.is_distinct_from(counted.c.n))
    )


def repeated(number: Any) -> Differences:
    """(nothing, number, 1, how often) of each plain number that several rows have."""
    return select(literal(None), number, literal(1), func.count()).group_by(number).having(func.count() > 1)


FIGURES: dict[str, Differences] = {
    "photo_count of review": photo_counts(),
    "figures of product (20 cells, then photos)": product_figures(),
    "figures of characteristic": characteristic_figures(),
    "figure of category": category_figures(),
}

NUMBERS: dict[str, Differences] = {
    "rows with the number of review": repeated(Review.review_id),
    "rows with the number of photo": repeated(Photo.photo_id),
    "rows with the number of rating": repeated(Rating.rating_id),
    "rows with the number of characteristic": repeated(Characteristic.characteristic_id),
}
