"""Pages of a product's photos: newest review first, its number descending, the photo's number ascending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    exists,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import Tuple
from sqlalchemy.types import TypeEngine

from graphql_api.db.models import Photo, Review
from loaders import tags
from loaders.batch import BatchLoader, arrays_table, literal_size
from loaders.page import Page, Window, page_of
from loaders.photos import PHOTO_COLUMNS, PHOTO_OF_REVIEW
from loaders.reviews import HAS_PHOTOS
from loaders.rows import PhotoRow
from loaders.statement import Statement

PhotoPosition: TypeAlias = tuple[datetime, int, int]
"""The review's time, the review's number, the photo's number."""

_POSITION: tuple[tuple[str, TypeEngine[Any]], ...] = (
    ("time", DateTime(timezone=True)),
    ("review", BigInteger()),
    ("photo", BigInteger()),
)


@dataclass(frozen=True, slots=True)
class PhotoSelection:
    """What pages of one loader have in common."""

    window: Window
    has_after: bool
    has_before: bool


@dataclass(frozen=True, slots=True)
class PhotoPageKey:
    """One product's page, between the positions of the cursors given."""

    product_id: int
    after: PhotoPosition | None = None
    before: PhotoPosition | None = None


@lru_cache(maxsize=512)
def _statement(selection: PhotoSelection) -> Statement:
    after_columns = [(f"after_{name}", type_) for name, type_ in _POSITION if selection.has_after]
    before_columns = [(f"before_{name}", type_) for name, type_ in _POSITION if selection.has_before]
    keys = arrays_table(("product_id", BigInteger()), *after_columns, *before_columns)
    review = tuple_(Review.created_at, Review.review_id)

    def shown(table: FromClause) -> list[ColumnElement[bool]]:
        product_id = table.c.product_id
        return [Review.product_id == product_id, Photo.product_id == product_id, not_(Review.reported), HAS_PHOTOS]

    def at(table: FromClause, side: str) -> Tuple:
        return tuple_(table.c[f"{side}_time"], table.c[f"{side}_review"])

    any_before: ColumnElement[bool] = not_(true())
    any_after: ColumnElement[bool] = not_(true())
    if selection.has_after:
        beyond = review > at(keys, "after"), Photo.photo_id <= keys.c.after_photo
        any_before = exists(Photo.photo_id).where(
            *shown(keys), PHOTO_OF_REVIEW, review >= at(keys, "after"), or_(*beyond)
        )
    if selection.has_before:
        beyond = review < at(keys, "before"), Photo.photo_id >= keys.c.before_photo
        any_after = exists(Photo.photo_id).where(
            *shown(keys), PHOTO_OF_REVIEW, review <= at(keys, "before"), or_(*beyond)
        )
    # Once a key, where a plain subquery would look once for every row of the page.
    columns = (*keys.c, any_before.label("any_before"), any_after.label("any_after"))
    once = select(*columns).cte("once").prefix_with("MATERIALIZED")

    # The first comparison starts the walk along the index, the second one settles the cursor's own review.
    bounds: list[ColumnElement[bool]] = []
    if selection.has_after:
        within = review < at(once, "after"), Photo.photo_id > once.c.after_photo
        bounds += [review <= at(once, "after"), or_(*within)]
    if selection.has_before:
        within = review > at(once, "before"), Photo.photo_id < once.c.before_photo
        bounds += [review >= at(once, "before"), or_(*within)]
    order: list[ColumnElement[Any]] = [Review.created_at.desc(), Review.review_id.desc(), Photo.photo_id.asc()]
    if selection.window.backward:
        order = [Review.created_at.asc(), Review.review_id.asc(), Photo.photo_id.desc()]
    page = (
        select(*PHOTO_COLUMNS)
        .join_from(Review, Photo, PHOTO_OF_REVIEW)
        .where(*shown(once), *bounds)
        .order_by(*order)
        .limit(literal_size(selection.window.size + 1))
        .lateral("page")
    )
    return Statement(
        "photos by product",
        select(once.c.place, once.c.any_before, once.c.any_after, *page.c).select_from(once.outerjoin(page, true())),
    )


class PhotoPages(BatchLoader[PhotoPageKey, Page[PhotoRow]]):
    """Pages of several products in one statement, for one selection."""

    tags = staticmethod(tags.by_attribute)
    selection: PhotoSelection

    async def batch_load_fn(self, keys: list[PhotoPageKey]) -> list[Page[PhotoRow]]:
        parameters: dict[str, object] = {"product_id": [key.product_id for key in keys]}
        for n, (name, _) in enumerate(_POSITION):
            parameters[f"after_{name}"] = [key.after[n] for key in keys if key.after is not None]
            parameters[f"before_{name}"] = [key.before[n] for key in keys if key.before is not None]
        rows: list[list[PhotoRow]] = [[] for _ in keys]
        beyond = [(False, False)] * len(keys)
        for place, any_before, any_after, *values in await _statement(self.selection).fetch(self.reads, **parameters):
            beyond[place - 1] = (any_before, any_after)
            if values[0] is not None:
                rows[place - 1].append(PhotoRow(*values))
        window = self.selection.window
        return [
            page_of(
                sorted(found, key=_walking_order, reverse=not window.backward),
                window,
                any_before=any_before,
                any_after=any_after,
            )
            for found, (any_before, any_after) in zip(rows, beyond, strict=True)
        ]


def _walking_order(row: PhotoRow) -> tuple[datetime, int, int]:
    return (row.created_at, row.review_id, -row.photo_id)
