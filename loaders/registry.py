"""The loaders of one request, each made when it is first used."""

from __future__ import annotations

from functools import cached_property

import asyncpg

from loaders.characteristics import CharacteristicsByProduct
from loaders.photo_pages import PhotoPages, PhotoSelection
from loaders.photos import PhotosById, PhotosByReview
from loaders.products import FiguresByProduct, ProductsById
from loaders.ratings import RatingsByReview
from loaders.review_counts import ReviewCountsOfSearch
from loaders.review_pages import ReviewFilter, ReviewPages, ReviewSelection
from loaders.reviews import ReviewsById, ReviewsByNumber


class Loaders:
    """One of each. They keep what they loaded, so a mutation's payload needs new ones."""

    def __init__(self, reads: asyncpg.Pool) -> None:
        self.reads = reads
        self._review_pages: dict[ReviewSelection, ReviewPages] = {}
        self._review_counts: dict[ReviewFilter, ReviewCountsOfSearch] = {}
        self._photo_pages: dict[PhotoSelection, PhotoPages] = {}

    @cached_property
    def products(self) -> ProductsById:
        return ProductsById(self.reads)

    @cached_property
    def figures(self) -> FiguresByProduct:
        return FiguresByProduct(self.reads)

    @cached_property
    def characteristics(self) -> CharacteristicsByProduct:
        return CharacteristicsByProduct(self.reads)

    @cached_property
    def reviews(self) -> ReviewsById:
        return ReviewsById(self.reads)

    @cached_property
    def reviews_by_number(self) -> ReviewsByNumber:
        return ReviewsByNumber(self.reads)

    @cached_property
    def photos_by_review(self) -> PhotosByReview:
        return PhotosByReview(self.reads)

    @cached_property
    def photos(self) -> PhotosById:
        return PhotosById(self.reads)

    @cached_property
    def ratings_by_review(self) -> RatingsByReview:
        return RatingsByReview(self.reads)

    def review_pages(self, selection: ReviewSelection) -> ReviewPages:
        """The loader of ``selection``: aliases with other arguments have one each."""
        if selection not in self._review_pages:
            self._review_pages[selection] = ReviewPages(self.reads, selection)
        return self._review_pages[selection]

    def review_counts(self, wanted: ReviewFilter) -> ReviewCountsOfSearch:
        """The loader of ``wanted``."""
        if wanted not in self._review_counts:
            self._review_counts[wanted] = ReviewCountsOfSearch(self.reads, wanted)
        return self._review_counts[wanted]

    def photo_pages(self, selection: PhotoSelection) -> PhotoPages:
        """The loader of ``selection``."""
        if selection not in self._photo_pages:
            self._photo_pages[selection] = PhotoPages(self.reads, selection)
        return self._photo_pages[selection]
