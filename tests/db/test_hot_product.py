"""A product with many reviews costs a write and a look-up no more than one with few."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from loaders import photos, reviews
from loaders.photos import PhotosByReview
from loaders.ratings import RatingsByReview
from tests.harness.databases import Databases, run

HOT, REVIEWS, OTHERS = 1, 20_000, 5_000
# PostgreSQL takes every product for a usual one, of seven reviews.
STOCKED = f"""
    INSERT INTO products (product_id, name) SELECT n, 'A product' FROM generate_series({HOT}, {OTHERS}) AS n;
    INSERT INTO characteristics (product_id, characteristic_id, kind) VALUES ({HOT}, 1, 'FIT'), ({HOT}, 2, 'SIZE');
    INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,
                         reviewer_email, photo_count)
    SELECT CASE WHEN n <= {REVIEWS} THEN {HOT} ELSE 2 + (n - {REVIEWS}) / 7 END, n, 3,
           timestamptz '2026-01-01' + n * interval '1 minute', 'A summary', 'A body', true, 'somebody',
           'somebody@example.com', 1
    FROM generate_series(1, {REVIEWS} + 7 * ({OTHERS} - 2)) AS n;
    INSERT INTO photos (product_id, review_id, photo_id, url)
    SELECT {HOT}, n, n, 'https://photos.example/1.jpg' FROM generate_series(1, {REVIEWS}) AS n;
"""
RATINGS = "INSERT INTO ratings (product_id, review_id, characteristic_id, rating_id, value) VALUES "
# The others have the key of a review behind the columns of a sort, so that finding one there is reading them all.
SCANS = """
    SELECT sum(idx_scan)::integer FROM pg_stat_user_indexes
    WHERE relname = 'reviews' AND indexrelname NOT IN ('pk_reviews', 'ix_reviews_review_id')
"""


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    made = databases.migrated()
    run(made, STOCKED)
    run(made, "VACUUM (ANALYZE) reviews, photos")
    return made


async def scans(url: str, *statements: tuple[str, list[object]]) -> int:
    """How often ``statements`` read an index of a sort."""
    connection = await asyncpg.connect(
        url, server_settings={"plan_cache_mode": "force_generic_plan", "enable_memoize": "off"}
    )
    try:
        before = await connection.fetchval(SCANS)
        for text, arguments in statements:
            await connection.execute(text, *arguments)
        await connection.execute("SELECT pg_stat_force_next_flush()")
        after: int = await connection.fetchval(SCANS)
    finally:
        await connection.close()
    return after - before


def test_ratings_are_counted_by_the_keys_of_their_reviews(url: str) -> None:
    stored = (f"{RATINGS} ($1, 5, 1, 1, 3), ($1, 5, 2, 2, 4), ($1, 6, 1, 3, 5), ($1, 6, 2, 4, 5)", [HOT])
    changed = ("UPDATE ratings SET value = 1 WHERE product_id = $1", [HOT])
    removed = ("DELETE FROM ratings WHERE product_id = $1", [HOT])
    assert asyncio.run(scans(url, stored, changed, removed)) == 0


@pytest.mark.parametrize("count", [1, 30])
def test_reviews_and_photos_are_found_by_their_keys(url: str, count: int) -> None:
    numbers = list(range(1, REVIEWS, REVIEWS // count))[:count]
    keys: list[object] = [[HOT] * count, numbers]
    by_key = (
        (reviews._by_id(()).text, keys),
        (reviews._by_id((PhotosByReview, RatingsByReview)).text, keys),
        (reviews._by_number.text, [numbers]),
        (photos._by_review.text, keys),
        (photos._by_id.text, [*keys, numbers]),
    )
    assert asyncio.run(scans(url, *by_key)) == 0
