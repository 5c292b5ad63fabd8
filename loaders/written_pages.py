"""Pages of reviews that PostgreSQL writes as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import FromClause, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import Select

from loaders.batch import Extent
from loaders.json_rows import FoundRows, json_array, json_objects
from loaders.page import Page, page_of
from loaders.review_selection import SORTS, ReviewFilter, ReviewPageKey, ReviewSelection, has_cursors, walked
from loaders.rows import ReviewRow, as_row


class WrittenPage:
    """A page of reviews that PostgreSQL writes as JSON: a text a review, and what cursors are made of.

    It can come ahead with its product's row, which saves a statement, and a request half of its wakings.
    """

    noun = "reviews"

    def __init__(self, selection: ReviewSelection, extent: Extent) -> None:
        assert extent.json is not None
        self._selection = selection
        self._json = extent.json
        self._beyond = extent.beyond
        self._ends = (*(key.attribute for key in SORTS[selection.sort]), "review_id") if extent.beyond else ()
        self.width = 1 + len(self._ends)

    def of(self, page: FromClause, product: FromClause) -> Select[*tuple[Any, ...]]:
        """One row of those of ``page``, in the connection's order; ``product`` has the number of theirs.

        Arrays, null where there are none; where nobody asks what lies beyond it, the text of all as it is shown.
        """
        # Each says it: SQL promises no order beyond the subquery.
        order = [
            page.c[key.attribute].desc() if key.sign > 0 else page.c[key.attribute].asc()
            for key in SORTS[self._selection.sort]
        ]
        order.append(page.c.review_id.desc())
        found = FoundRows(self._json, product)
        objects = json_objects(self._json, page, found)
        source = found.joined(page)
        if not self._ends:
            return select(json_array(objects, order)).select_from(source)
        columns = [objects, *(page.c[name] for name in self._ends)]
        arrays = [func.array_agg(aggregate_order_by(one, *order)) for one in columns]
        return select(*arrays).select_from(source)

    def beside(self, row: FromClause) -> FromClause:
        """What ``of`` gives for a product."""
        page = walked(self._selection, row.c.product_id, beyond=self._beyond).correlate(row).subquery("page")
        return self.of(page, row).correlate(row).lateral("reviews_of")

    def of_beside(self, row: Sequence[Any], record: Sequence[Any], at: int) -> Page[ReviewRow]:
        """The page of the product that starts the row."""
        return self.page(row[0], record, at)

    def page(
        self, product_id: int, record: Sequence[Any], at: int, *, any_before: bool = False, any_after: bool = False
    ) -> Page[ReviewRow]:
        """The page of what ``of`` gave, from ``record[at]`` on; ``any_before`` and ``any_after`` as for ``page_of``."""
        if not self._ends:
            return as_row(Page, ((), False, False, record[at]))
        texts: list[str] = record[at] or []
        window = self._selection.window
        walked_to = list(range(len(texts)))
        if window.backward:
            walked_to.reverse()
        places, has_previous, has_next, _ = page_of(walked_to, window, any_before=any_before, any_after=any_after)
        ends: list[ReviewRow] = []
        if places:
            of_product = _NO_REVIEW._replace(product_id=product_id)
            for place in (places[0], places[-1]):
                keys = [array[place] for array in record[at + 1 : at + self.width]]
                ends.append(of_product._replace(**dict(zip(self._ends, keys, strict=True))))
        return Page(ends, has_previous, has_next, json=f"[{','.join([texts[place] for place in places])}]")


_NO_REVIEW = as_row(ReviewRow, (None,) * len(ReviewRow._fields))
written_page = lru_cache(maxsize=1024)(WrittenPage)  # as many as there are statements


_ALL = ReviewFilter()


def beside_product(selection: ReviewSelection, extent: Extent) -> WrittenPage | None:
    if extent.json is None or selection.filter != _ALL or has_cursors(selection):
        return None
    return written_page(selection, extent)


def pages_of(
    keys: Sequence[ReviewPageKey], records: Sequence[Sequence[Any]], written: WrittenPage, start: int
) -> list[Page[ReviewRow]]:
    """The pages of ``records``, one of each key, which say from ``start`` on what it holds."""
    pages: list[Any] = [None] * len(keys)
    for record in records:
        place = record[0] - 1
        any_before, any_after = record[1:3] if start > 1 else (False, False)
        pages[place] = written.page(keys[place].product_id, record, start, any_before=any_before, any_after=any_after)
    return pages
