"""Tags: what an answer shows, so that whoever keeps it knows which writes make it stale.

``product:N`` is everything of a product, its reviews, photos, figures and ratings included, present or not;
``review:N`` a plain review number that was looked up; ``catalog`` which products there are, in which
categories and order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ALL = "all"
"""The tag of every answer; a write names it that may have changed anything."""

CATALOG = "catalog"


def of_product(product_id: int) -> str:
    """The tag of a product."""
    return f"product:{product_id}"


def of_review(review_id: int) -> str:
    """The tag of a plain review number."""
    return f"review:{review_id}"


def by_product(key: int, _value: Any) -> Iterable[str]:
    """Of a loader whose key is a product's number."""
    return (f"product:{key}",)


def by_first(key: tuple[int, ...], _value: Any) -> Iterable[str]:
    """Of a loader whose key begins with a product's number."""
    return (f"product:{key[0]}",)


def by_attribute(key: Any, _value: Any) -> Iterable[str]:
    """Of a loader whose key knows its product's number."""
    return (f"product:{key.product_id}",)


def by_number(key: int, review: Any) -> Iterable[str]:
    """Of a look-up by plain review number: the number, for it may come to be, here or below another product too."""
    return (of_review(key),) if review is None else (of_review(key), of_product(review.product_id))


def by_page(_key: Any, page: Any) -> Iterable[str]:
    """Of a page of products: which they are, and each of them."""
    if page is None:
        return (CATALOG,)
    return (CATALOG, *[f"product:{row.product_id}" for row in page.rows])


def by_catalog(_key: Any, _value: Any) -> Iterable[str]:
    """Of what only says which products there are."""
    return (CATALOG,)
