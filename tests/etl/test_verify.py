"""Verify finds what is not as the rows say, and repair mends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etl.report import Report
from etl.verify import Difference, verify_database
from graphql_api.settings import Settings
from tests.harness.databases import run, value

Loading = Callable[..., Report]


def test_a_loaded_database_is_sound(loading: Loading, database: str, settings: Settings) -> None:
    loading()

    findings = verify_database(database, settings)

    assert (findings.checks, findings.counts, findings.first) == (25, {}, [])


@pytest.mark.parametrize(
    ("spoil", "count", "difference"),
    [
        (
            "UPDATE product_figures SET photo_count = 9 WHERE product_id = 1",
            "figures of product (20 cells, then photos)",
            Difference(
                1,
                "figures of product (20 cells, then photos)",
                "[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]",
                "[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9]",
            ),
        ),
        (
            "DELETE FROM characteristic_figures WHERE characteristic_id = 2",
            "figures of characteristic",
            Difference(1, "figures of characteristic 2", "[0, 1, 0, 0, 1]", "none"),
        ),
        (
            "UPDATE category_figures SET product_count = 5 WHERE category = ''",
            "figure of category",
            Difference(None, "figure of category ''", "1", "5"),
        ),
        (
            "INSERT INTO category_figures VALUES ('Ghosts', 2)",
            "figure of category",
            Difference(None, "figure of category 'Ghosts'", "none", "2"),
        ),
        (
            """
            ALTER TABLE reviews DISABLE TRIGGER USER;
            UPDATE reviews SET photo_count = 3 WHERE review_id = 3;
            ALTER TABLE reviews ENABLE TRIGGER USER
            """,
            "photo_count of review",
            Difference(2, "photo_count of review 3", "0", "3"),
        ),
        (
            "DROP INDEX ix_reviews_newest",
            "index",
            Difference(None, "index 'ix_reviews_newest'", "valid", "none"),
        ),
        (
            "SELECT setval('review_numbers', 3, false)",
            "sequence review_numbers",
            Difference(None, "next number of review_numbers", "above 3", "3"),
        ),
    ],
)
def test_what_is_spoilt_is_found_and_mended(
    loading: Loading, database: str, settings: Settings, spoil: str, count: str, difference: Difference
) -> None:
    loading()
    run(database, spoil)

    found = verify_database(database, settings)
    mended = verify_database(database, settings, repair=True)

    assert (found.counts, found.first) == ({count: 1}, [difference])
    assert (mended.counts, mended.first, mended.repaired) == ({}, [], True)


@pytest.mark.parametrize(
    ("spoil", "difference"),
    [
        (
            "SET session_replication_role = replica; DELETE FROM reviews WHERE review_id = 3",
            Difference(2, "parent of ratings in reviews, number '3'", "one of reviews", "none"),
        ),
        (
            "ALTER TABLE photos DROP CONSTRAINT fk_photos_reviews",
            Difference(None, "constraint 'fk_photos_reviews'", "valid", "none"),
        ),
        (
            "ALTER TABLE photos DISABLE TRIGGER count_photos_insert",
            Difference(None, "trigger 'count_photos_insert'", "on", "off"),
        ),
        (
            """
            ALTER TABLE reviews DROP CONSTRAINT ck_reviews_rating_1_to_5;
            ALTER TABLE reviews ADD CONSTRAINT ck_reviews_rating_1_to_5 CHECK (rating BETWEEN 1 AND 5) NOT VALID
            """,
            Difference(None, "constraint 'ck_reviews_rating_1_to_5'", "valid", "unchecked"),
        ),
    ],
)
def test_what_no_repair_may_guess_is_found_and_stays(
    loading: Loading, database: str, settings: Settings, spoil: str, difference: Difference
) -> None:
    loading()
    run(database, spoil)

    assert difference in verify_database(database, settings).first
    assert difference in verify_database(database, settings, repair=True).first


def test_a_number_that_two_rows_share_is_found_and_stays(loading: Loading, database: str, settings: Settings) -> None:
    loading()
    run(database, "INSERT INTO characteristics VALUES (2, 1, 'FIT')")

    found = verify_database(database, settings, repair=True)

    assert found.first == [Difference(None, "rows with the number of characteristic 1", "1", "2")]
    assert value(database, "SELECT count(*) FROM characteristics") == 4


def test_only_the_first_twenty_are_listed_and_all_are_counted(
    loading: Loading, database: str, settings: Settings
) -> None:
    loading()
    run(database, "INSERT INTO products (product_id, name) SELECT n, 'p' FROM generate_series(10, 59) AS n")
    run(database, "DELETE FROM product_figures WHERE product_id >= 10")

    found = verify_database(database, settings)

    assert found.counts == {"figures of product (20 cells, then photos)": 50}
    assert len(found.first) == 20
