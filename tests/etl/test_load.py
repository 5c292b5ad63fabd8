"""Loading folders: what is in the database afterwards, and what the report says of it."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from etl.catalogue import BULK_ROWS
from etl.load import load_folder
from etl.report import Report
from etl.verify import verify_database
from graphql_api.errors import DatabaseUnavailableError, OperatorError
from graphql_api.settings import Settings
from tests.etl.dumps import schema
from tests.etl.folders import ATELIER, LINES, write_folder
from tests.harness.databases import Databases, rows, run, value

Loading = Callable[..., Report]
TABLES = ("products", "characteristics", "reviews", "photos", "ratings")


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """The rows of ``query`` as tuples."""
    return [tuple(row) for row in rows(url, query)]


def summary(report: Report) -> dict[str, tuple[int, int, int]]:
    """(read, loaded, rejected) of each file."""
    return {file.file: (file.read, file.loaded, file.refused) for file in report.files}


def reasons(report: Report) -> list[tuple[str, str, int, list[int]]]:
    """(file, reason, count, lines) of everything rejected."""
    return [(file.file, one.reason, one.count, one.lines) for file in report.files for one in file.reasons]


def versions(url: str) -> list[tuple[object, ...]]:
    """What tells that a row was written or locked."""
    return ask(url, " UNION ALL ".join(f"SELECT tableoid, ctid::text, xmin, xmax FROM {table}" for table in TABLES))


def vote(url: str, review: int, *, times: int = 1) -> None:
    """What the gateway writes for helpful votes."""
    for _ in range(times):
        run(
            url,
            "INSERT INTO helpful_votes (product_id, review_id) SELECT product_id, review_id FROM reviews"
            f" WHERE review_id = {review};"
            f" UPDATE reviews SET helpfulness = helpfulness + 1 WHERE review_id = {review}",
        )


def report(url: str, review: int) -> None:
    """What the gateway writes for a report."""
    run(
        url,
        "INSERT INTO reports (product_id, review_id) SELECT product_id, review_id FROM reviews"
        f" WHERE review_id = {review};"
        f" UPDATE reviews SET reported = true WHERE review_id = {review}",
    )


def counts(url: str) -> list[int]:
    """How many rows each table has."""
    return [value(url, f"SELECT count(*) FROM {table}") for table in TABLES]


def test_second_generation_sample_is_loaded_and_its_orphans_are_told(loading: Loading, database: str) -> None:
    report = loading(folder=ATELIER / "v2")

    assert summary(report) == {
        "product.csv": (10, 10, 0),
        "characteristics.csv": (34, 34, 0),
        "reviews.csv": (19, 14, 5),
        "reviews_photos.csv": (19, 9, 10),
        "characteristic_reviews.csv": (41, 41, 0),
    }
    assert reasons(report) == [
        ("reviews.csv", "product_id names no product there is", 5, [16, 17, 18, 19, 20]),
        ("reviews_photos.csv", "review_id names a review that was rejected", 3, [11, 12, 13]),
        ("reviews_photos.csv", "review_id names no review there is", 7, [14, 15, 16, 17, 18, 19, 20]),
    ]
    assert ask(database, "SELECT counts, photo_count FROM product_figures WHERE product_id = 4") == [
        ([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], 6)
    ]


def test_values_of_the_second_generation_arrive_typed(loading: Loading, database: str) -> None:
    loading(folder=ATELIER / "v2")

    assert ask(database, "SELECT response, created_at, reported, photo_count FROM reviews WHERE review_id = 5") == [
        (None, datetime(2021, 3, 17, 13, 28, 37, 620_000, UTC), False, 3)
    ]
    assert ask(database, "SELECT review_id FROM reviews WHERE reported") == [(14,)]
    assert ask(database, "SELECT default_price FROM products WHERE product_id = 10") == [(Decimal("5000000.00"),)]


def test_first_generation_sample_gets_placeholder_products(loading: Loading, database: str) -> None:
    # Counted another way: with the csv module, and with sets.
    folder = ATELIER / "v1"
    files = {path.name: list(csv.DictReader(path.read_text().splitlines())) for path in folder.iterdir()}
    home = {row["id"]: row["product_id"] for row in files["reviews.csv"]}
    kinds = {row["id"]: row["product_id"] for row in files["characteristics.csv"]}
    photos = [row for row in files["reviews_photos.csv"] if row["review_id"] in home]
    ratings = [
        row
        for row in files["characteristics_reviews.csv"]
        if home.get(row["review_id"]) == kinds.get(row["characteristic_id"], "none")
    ]
    named = set(home.values()) | set(kinds.values())

    report = loading(folder=folder)

    assert summary(report) == {
        "characteristics.csv": (49, 49, 0),
        "reviews.csv": (99, 99, 0),
        "reviews_photos.csv": (49, len(photos), 49 - len(photos)),
        "characteristics_reviews.csv": (49, len(ratings), 49 - len(ratings)),
    }
    assert report.placeholders == len(named)
    assert ask(database, "SELECT count(*), count(*) FILTER (WHERE name = 'Product ' || product_id) FROM products") == [
        (len(named), len(named))
    ]
    assert ask(database, "SELECT created_at, response FROM reviews WHERE review_id = 1") == [
        (datetime(2019, 1, 1, tzinfo=UTC), None)
    ]
    hidden = sum(row["reported"] in {"1", "true"} for row in files["reviews.csv"])
    assert ask(database, "SELECT count(*) FROM reviews WHERE reported") == [(hidden,)]


def test_same_folder_again_is_recognised(loading: Loading, database: str) -> None:
    first = loading()
    before = versions(database)

    second = loading()

    assert second.loaded_before
    assert summary(second) == summary(first)
    assert versions(database) == before
    assert ask(database, "SELECT count(*) FROM loads") == [(1,)]


def test_same_rows_after_another_load_write_nothing(loading: Loading, database: str, tmp_path: Path) -> None:
    loading()
    before = versions(database)
    other = write_folder(tmp_path / "other")
    (other / "product.csv").write_text((other / "product.csv").read_text() + "\n")

    report = loading(folder=other)

    assert not report.loaded_before
    assert [(file.inserted, file.updated, file.unchanged) for file in report.files] == [
        (0, 0, 2),
        (0, 0, 3),
        (0, 0, 3),
        (0, 0, 2),
        (0, 0, 5),
    ]
    assert versions(database) == before


@pytest.mark.parametrize("bulk_rows", [BULK_ROWS, 1])
def test_changed_rows_are_updated_and_figures_follow(loading: Loading, database: str, bulk_rows: int) -> None:
    loading()
    before = schema(database)

    report = loading(
        {
            "product.csv": ['1,"Shirt","Softer","A shirt","Shirts",21.50', LINES["product.csv"][1]],
            "reviews.csv": [
                *LINES["reviews.csv"],
                '4,2,1,1596080481467,"New","Brand new",true,false,"di","di@example.com",null,0',
            ],
            "reviews_photos.csv": [*LINES["reviews_photos.csv"], '3,4,"https://images.example.com/3.jpg"'],
            "characteristic_reviews.csv": ["1,1,1,2", *LINES["characteristic_reviews.csv"][1:], "6,3,4,5"],
        },
        bulk_rows=bulk_rows,
    )

    assert [(file.inserted, file.updated, file.unchanged) for file in report.files] == [
        (0, 1, 1),
        (0, 0, 3),
        (1, 0, 3),
        (1, 0, 2),
        (1, 1, 4),
    ]
    assert ask(database, "SELECT slogan, default_price FROM products WHERE product_id = 1") == [
        ("Softer", Decimal("21.50"))
    ]
    assert ask(database, "SELECT characteristic_id, counts FROM characteristic_figures ORDER BY 1") == [
        (1, [1, 1, 0, 0, 0]),
        (2, [0, 1, 0, 0, 1]),
        (3, [0, 0, 0, 0, 1]),
    ]
    assert ask(database, "SELECT counts[4], photo_count FROM product_figures WHERE product_id = 2") == [(1, 1)]
    assert schema(database) == before


def test_what_shoppers_did_is_kept(loading: Loading, database: str) -> None:
    loading()
    vote(database, 1, times=2)
    report(database, 2)

    loading(
        {
            "reviews.csv": [
                LINES["reviews.csv"][0].replace('"Good"', '"Better"').replace("null,3", "null,10"),
                LINES["reviews.csv"][1].replace('"Bad"', '"Worse"'),
                LINES["reviews.csv"][2].replace("true,true", "true,false"),
            ]
        }
    )

    assert ask(database, "SELECT summary, reported, helpfulness FROM reviews ORDER BY review_id") == [
        ("Better", False, 12),
        ("Worse", True, 0),
        ("Fine", False, 1),
    ]
    assert verify_database(database, Settings()).unsound == 0


def test_what_was_mended_by_hand_stays_while_the_file_says_the_same(loading: Loading, database: str) -> None:
    loading()
    run(database, "UPDATE reviews SET response = 'By hand' WHERE review_id IN (1, 2)")

    result = loading(
        {"reviews.csv": [LINES["reviews.csv"][0].replace('"Good"', '"Better"'), *LINES["reviews.csv"][1:]]}
    )

    assert ask(database, "SELECT response FROM reviews ORDER BY review_id LIMIT 2") == [(None,), ("By hand",)]
    assert (result.files[2].updated, result.files[2].unchanged) == (1, 2)


def test_missing_rows_stay_and_are_told_each_time(loading: Loading, database: str) -> None:
    loading()
    shorter = {name: lines[:-1] for name, lines in LINES.items() if name != "product.csv"}

    first = loading(shorter)
    second = loading({**shorter, "product.csv": [LINES["product.csv"][0].replace("20", "21"), LINES["product.csv"][1]]})

    assert [file.missing for file in first.files] == [0, 1, 1, 1, 1]
    assert [file.missing for file in second.files] == [0, 1, 1, 1, 1]
    assert counts(database) == [2, 3, 3, 2, 5]


@pytest.mark.parametrize("bulk_rows", [BULK_ROWS, 1])
def test_prune_removes_what_the_files_no_longer_have(loading: Loading, database: str, bulk_rows: int) -> None:
    loading()
    before = schema(database)
    shorter = {
        "product.csv": LINES["product.csv"][:1],
        "characteristics.csv": LINES["characteristics.csv"][:1],
        "reviews.csv": LINES["reviews.csv"][:2],
        "reviews_photos.csv": LINES["reviews_photos.csv"][:1],
        "characteristic_reviews.csv": [LINES["characteristic_reviews.csv"][0], LINES["characteristic_reviews.csv"][2]],
    }

    result = loading(shorter, prune=True, bulk_rows=bulk_rows)

    assert [(file.missing, file.pruned) for file in result.files] == [(1, 1), (2, 2), (1, 1), (1, 1), (3, 3)]
    assert counts(database) == [1, 1, 2, 1, 2]
    assert verify_database(database, Settings()).unsound == 0
    assert schema(database) == before
    again = loading({**shorter, "product.csv": [LINES["product.csv"][0].replace("20", "21")]})
    assert [(file.missing, file.inserted) for file in again.files] == [(0, 0)] * 5


def test_prune_of_the_folder_that_was_loaded_last_removes_what_is_missing(loading: Loading, database: str) -> None:
    loading()
    shorter = {"characteristic_reviews.csv": LINES["characteristic_reviews.csv"][:-1]}
    loading(shorter)

    pruned = loading(shorter, prune=True)
    again = loading(shorter, prune=True)

    assert [(one.loaded_before, one.files[4].missing, one.files[4].pruned) for one in (pruned, again)] == [
        (False, 1, 1),
        (True, 1, 1),
    ]
    assert counts(database) == [2, 3, 3, 2, 4]


def test_a_role_that_may_not_make_a_schema_is_told_what_to_grant(
    database: str, settings: Settings, tmp_path: Path
) -> None:
    role = f"loader_{database.rpartition('_')[2].partition('?')[0]}_{os.getpid()}"
    run(
        database,
        f"CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};"
        f" GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    parts = urlsplit(database)
    own = parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}")

    try:
        with pytest.raises(OperatorError, match="GRANT CREATE ON DATABASE"):
            load_folder(urlunsplit(own), write_folder(tmp_path / "folder"), settings)
    finally:
        run(database, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_privileges_options_and_an_operators_index_survive_a_first_load(loading: Loading, database: str) -> None:
    run(
        database,
        "GRANT SELECT ON reviews TO PUBLIC; GRANT UPDATE (rating, helpfulness) ON reviews TO PUBLIC;"
        " CREATE INDEX by_hand ON photos (url);"
        " ALTER TABLE ratings SET (fillfactor = 80, autovacuum_enabled = true); CREATE STATISTICS pair (dependencies)"
        " ON rating, recommended FROM reviews; ALTER TABLE photos ENABLE ALWAYS TRIGGER count_photos_insert;"
        " ALTER TABLE reviews DISABLE TRIGGER uncount_ratings_of_review",
    )
    before = schema(database)

    loading()

    assert schema(database) == before


def test_prune_leaves_the_parents_of_what_shoppers_wrote(loading: Loading, database: str) -> None:
    loading()
    run(
        database,
        "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,"
        " reviewer_email) VALUES (2, 1000000000, 4, now(), 'Ours', 'Ours', true, 'di', 'di@example.com');"
        " INSERT INTO ratings VALUES (2, 1000000000, 3, 1000000000, 4)",
    )
    shorter = {
        "product.csv": LINES["product.csv"][:1],
        "characteristics.csv": LINES["characteristics.csv"][:2],
        "reviews.csv": LINES["reviews.csv"][:2],
        "characteristic_reviews.csv": LINES["characteristic_reviews.csv"][:4],
    }

    result = loading(shorter, prune=True)
    again = loading({**shorter, "product.csv": [LINES["product.csv"][0].replace("20", "21")]})

    assert [(file.missing, file.pruned) for file in result.files] == [(1, 0), (1, 0), (1, 1), (0, 0), (1, 1)]
    assert [(file.missing, file.unchanged) for file in again.files] == [(1, 0), (1, 2), (0, 2), (0, 2), (0, 4)]
    assert counts(database) == [2, 3, 3, 2, 5]
    assert verify_database(database, Settings()).unsound == 0


def test_a_row_that_took_the_place_of_another_is_noticed(loading: Loading, database: str) -> None:
    loading()
    run(database, "DELETE FROM photos WHERE photo_id = 1")
    run(database, "INSERT INTO photos VALUES (1, 1, 500, 'https://images.example.com/5.jpg')")

    result = loading({"product.csv": [LINES["product.csv"][0].replace("20", "21"), LINES["product.csv"][1]]})

    assert [(one.inserted, one.unchanged, one.missing) for one in result.files][3] == (1, 1, 1)
    assert ask(database, "SELECT photo_id FROM photos ORDER BY 1") == [(1,), (2,), (500,)]


def test_a_rating_may_get_another_number(loading: Loading, database: str) -> None:
    loading()
    ratings = ["6,1,1,4", *LINES["characteristic_reviews.csv"][1:]]

    result = loading({"characteristic_reviews.csv": ratings})
    again = loading(
        {
            "characteristic_reviews.csv": ratings,
            "product.csv": [LINES["product.csv"][0].replace("20", "21"), LINES["product.csv"][1]],
        }
    )

    assert [(one.files[4].updated, one.files[4].unchanged, one.files[4].missing) for one in (result, again)] == [
        (1, 4, 0),
        (0, 5, 0),
    ]
    assert ask(database, "SELECT rating_id FROM ratings ORDER BY 1") == [(2,), (3,), (4,), (5,), (6,)]


def test_marks_survive_a_load_that_had_to_look_at_every_row(loading: Loading, database: str) -> None:
    far = 70_000
    photos = [*LINES["reviews_photos.csv"], f'{far},1,"https://images.example.com/far.jpg"']
    prices = [[LINES["product.csv"][0].replace("20", price), LINES["product.csv"][1]] for price in ("21", "22")]
    loading({"reviews_photos.csv": photos})
    run(database, "DELETE FROM photos WHERE photo_id = 1")
    loading({"product.csv": prices[0]})

    run(database, "UPDATE photos SET url = 'https://images.example.com/by-hand.jpg' WHERE photo_id = 2")
    result = loading({"product.csv": prices[1]})

    assert (result.files[3].unchanged, result.files[3].updated, result.files[3].missing) == (2, 0, 1)
    assert ask(database, "SELECT url FROM photos WHERE photo_id = 2") == [("https://images.example.com/by-hand.jpg",)]


def test_what_shoppers_wrote_stays_when_the_line_of_their_numbers_was_raised(
    loading: Loading, database: str, tmp_path: Path
) -> None:
    loading()
    run(
        database,
        "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,"
        " reviewer_email) VALUES (2, 1000000000, 4, now(), 'Ours', 'Ours', true, 'di', 'di@example.com')",
    )
    raised = Settings(state=tmp_path / "state", first_number=2_000_000_000)
    folder = write_folder(tmp_path / "folder", {"reviews_photos.csv": LINES["reviews_photos.csv"][:1]})

    result = load_folder(database, folder, raised, prune=True)

    assert [file.pruned for file in result.files] == [0, 0, 0, 1, 0]
    assert ask(database, "SELECT summary FROM reviews WHERE review_id = 1000000000") == [("Ours",)]
    assert value(database, "SELECT nextval('review_numbers')") == 2_000_000_000


def test_votes_beyond_what_an_integer_holds_stay_at_its_end(loading: Loading, database: str) -> None:
    loading()
    vote(database, 1)

    loading({"reviews.csv": [LINES["reviews.csv"][0].replace("null,3", "null,2147483647"), *LINES["reviews.csv"][1:]]})

    assert value(database, "SELECT helpfulness FROM reviews WHERE review_id = 1") == 2_147_483_647


def test_a_review_that_comes_while_its_product_is_pruned_stays(loading: Loading, database: str) -> None:
    loading()
    shorter = {
        "product.csv": LINES["product.csv"][:1],
        "characteristics.csv": LINES["characteristics.csv"][:2],
        "reviews.csv": LINES["reviews.csv"][:2],
        "characteristic_reviews.csv": LINES["characteristic_reviews.csv"][:4],
    }
    written, results = threading.Event(), []

    async def shopper() -> None:
        connection = await asyncpg.connect(database)
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended,"
                " reviewer_name, reviewer_email)"
                " VALUES (2, 1000000000, 4, now(), 'Ours', 'Ours', true, 'di', 'di@example.com')"
            )
            written.set()
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not await connection.fetchval(waits):  # noqa: ASYNC110 - what is waited for happens in PostgreSQL
                await asyncio.sleep(0.01)
        await connection.close()

    asking = threading.Thread(target=lambda: asyncio.run(shopper()))
    asking.start()
    written.wait(30)
    results.append(loading(shorter, prune=True))
    asking.join()

    assert ask(database, "SELECT summary FROM reviews WHERE review_id = 1000000000") == [("Ours",)]
    assert ask(database, "SELECT product_id FROM products ORDER BY 1") == [(1,), (2,)]
    assert verify_database(database, Settings()).unsound == 0


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("CREATE VIEW stars AS SELECT product_id, rating FROM reviews", "the view stars"),
        ("CREATE POLICY own ON reviews USING (true)", "the policy own"),
        ("ALTER TABLE reviews ENABLE ROW LEVEL SECURITY", "row-level security"),
        ("CREATE PUBLICATION p FOR TABLE reviews", "the publication p"),
    ],
)
def test_what_a_first_load_would_lose_is_told_before_anything_is_read(
    loading: Loading, database: str, made: str, told: str
) -> None:
    run(database, made)

    with pytest.raises(OperatorError, match=f"{told} depends on them: drop it"):
        loading()

    assert counts(database) == [0, 0, 0, 0, 0]
    assert value(database, "SELECT to_regnamespace('incoming') IS NULL")


def test_a_schema_of_somebody_elses_is_left_alone(loading: Loading, database: str) -> None:
    run(database, "CREATE SCHEMA incoming; CREATE TABLE incoming.orders (number integer)")

    with pytest.raises(OperatorError, match="There is a schema named incoming already"):
        loading()

    assert value(database, "SELECT count(*) FROM incoming.orders") == 0


def test_default_privileges_give_nothing_that_nobody_had(loading: Loading, database: str) -> None:
    run(database, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")

    loading()

    assert (
        ask(
            database,
            "SELECT relname FROM pg_class, aclexplode(relacl) WHERE grantee = 0 AND relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace",
        )
        == []
    )


def test_a_row_removed_by_hand_is_loaded_again(loading: Loading, database: str) -> None:
    loading()
    run(database, "DELETE FROM ratings WHERE rating_id = 5")

    result = loading({"product.csv": [LINES["product.csv"][0].replace("20", "21"), LINES["product.csv"][1]]})

    assert (result.files[4].inserted, result.files[4].unchanged) == (1, 4)
    assert counts(database) == [2, 3, 3, 2, 5]


def test_placeholders_do_not_touch_real_products(loading: Loading, database: str, tmp_path: Path) -> None:
    loading()
    folder = write_folder(tmp_path / "without")
    (folder / "product.csv").unlink()

    loading(folder=folder)

    assert ask(database, "SELECT name FROM products ORDER BY product_id") == [("Shirt",), ("Hat",)]


def test_a_folder_of_another_catalogue_is_refused(loading: Loading, database: str) -> None:
    loading()
    before = versions(database)

    with pytest.raises(OperatorError, match="number 1 of characteristics under another parent"):
        loading({"characteristics.csv": ['1,2,"Fit"', '2,1,"Quality"', '3,2,"Quality"']})

    assert versions(database) == before


def test_first_load_leaves_the_schema_as_it_was(loading: Loading, database: str) -> None:
    before = schema(database)

    loading()

    assert schema(database) == before


def test_sequences_go_above_loaded_numbers_and_never_back(loading: Loading, database: str) -> None:
    run(database, "SELECT setval('photo_numbers', 5000000000, true)")

    loading()

    query = "SELECT nextval('review_numbers'), nextval('photo_numbers'), nextval('rating_numbers')"
    assert ask(database, query) == [(1_000_000_000, 5_000_000_001, 1_000_000_000)]


def test_sequences_follow_the_first_number(database: str, tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", first_number=2_000_000_000)

    load_folder(database, write_folder(tmp_path / "folder"), settings)

    assert ask(database, "SELECT nextval('review_numbers')") == [(2_000_000_000,)]


def test_reject_file_of_the_state_folder_masks_addresses(database: str, settings: Settings, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "folder",
        {
            "reviews.csv": [
                '1,9,5,1596080481467,"Good","Very good",true,false,"ann","ann@example.com",null,3',
                '2,1,5,1596080481467,"Good","Very good",true,false,"bob","bob@example.com"',
            ],
            "reviews_photos.csv": [],
            "characteristic_reviews.csv": [],
        },
    )

    load_folder(database, folder, settings)

    with (settings.state / "rejects" / "folder.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["file", "line", "column", "value", "reason", "row"],
            [
                "reviews.csv",
                "2",
                "product_id",
                "9",
                "there is no product 9",
                '1,9,5,1596080481467,"Good","Very good",true,false,"ann","a***@e***",null,3',
            ],
            [
                "reviews.csv",
                "3",
                "",
                "",
                "has 10 fields where the header has 12",
                '2,1,5,1596080481467,"Good","Very good",true,false,"bob","b***@e***"',
            ],
        ]


def test_report_survives_json(loading: Loading) -> None:
    report = loading(folder=ATELIER / "v2")

    assert Report.from_json(report.to_json()) == report
    photos = json.loads(report.to_json())["files"][3]
    assert (photos["read"], photos["loaded"], photos["rejected"]) == (19, 9, 10)


def test_a_missing_file_is_one_sentence(loading: Loading, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    (folder / "reviews.csv").unlink()

    with pytest.raises(OperatorError) as caught:
        loading(folder=folder)

    assert str(caught.value) == f"{folder} has no reviews.csv: the folder must hold the whole export."


def test_a_missing_column_is_one_sentence_and_changes_nothing(loading: Loading, database: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    (folder / "reviews_photos.csv").write_text("id,review_id\n1,1\n")

    with pytest.raises(OperatorError) as caught:
        loading(folder=folder)

    assert str(caught.value) == "reviews_photos.csv has no column url; its first line names only id, review_id."
    assert ask(database, "SELECT count(*) FROM products") == [(0,)]


def test_a_missing_header_is_told_without_showing_the_row_that_stands_there(loading: Loading, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    file = folder / "reviews.csv"
    file.write_text(file.read_text().split("\n", 1)[1])

    with pytest.raises(OperatorError) as caught:
        loading(folder=folder)

    assert str(caught.value).endswith("no column helpfulness; its first line names none: is the header missing?")
    assert "@" not in str(caught.value)


def test_numbers_start_at_a_line_that_was_raised_after_the_load(
    loading: Loading, database: str, tmp_path: Path
) -> None:
    loading()
    folder = write_folder(tmp_path / "folder")

    load_folder(database, folder, Settings(state=tmp_path / "state", first_number=5_000_000_000))

    assert ask(database, "SELECT nextval('review_numbers')") == [(5_000_000_000,)]


def test_a_database_without_tables_is_one_sentence(databases: Databases, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match="run alembic upgrade head"):
        load_folder(databases.empty(), write_folder(tmp_path / "folder"), settings)
