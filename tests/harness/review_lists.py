"""The lists of reviews that the contract promises, worked out from rows without the database."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
"""A review's columns as ``Shop`` takes them."""

SORTS = ("RELEVANT", "NEWEST", "HELPFUL", "HIGHEST_RATED", "LOWEST_RATED")
DAY = timedelta(days=1)


def relevance(row: Row) -> float:
    """Days since 1970, and 90 for each doubling of (1 + helpful votes)."""
    days: float = (row["created_at"] - datetime(1970, 1, 1, tzinfo=UTC)) / DAY
    return days + 90 * math.log2(1 + row["helpfulness"])


KEYS: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    "RELEVANT": lambda row: (relevance(row),),
    "NEWEST": lambda row: (row["created_at"],),
    "HELPFUL": lambda row: (row["helpfulness"], row["created_at"]),
    "HIGHEST_RATED": lambda row: (row["rating"], row["created_at"]),
    "LOWEST_RATED": lambda row: (-row["rating"], row["created_at"]),
}


def matches(row: Row, wanted: Row) -> bool:
    """Whether the filter ``wanted``, with a search of one word, shows ``row``."""
    words = re.findall(r"\w+", f"{row['summary']} {row['body']}".lower())
    search, recommended, with_photos = (wanted.get(part) for part in ("search", "recommended", "withPhotos"))
    return (
        not row["reported"]
        and (not wanted.get("ratings") or row["rating"] in wanted["ratings"])
        and recommended in {None, row["recommended"]}
        and with_photos in {None, row["photos"] > 0}
        and (search is None or any(word.startswith(search.lower()) for word in words))
    )


def listed(rows: dict[int, Row], sort: str, **wanted: Any) -> list[int]:
    """The numbers of the rows that the contract shows, in its order."""
    found = [number for number, row in rows.items() if matches(row, wanted)]
    return sorted(found, key=lambda number: (*KEYS[sort](rows[number]), number), reverse=True)
