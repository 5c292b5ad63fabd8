"""Migrations go up, down and up again, build what the models declare, and tell an operator what stopped them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from graphql_api.db.engine import REVISION, create_engine
from graphql_api.db.migrate import migrate
from graphql_api.db.models import Base
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings
from loaders.batch import ROWS, Extent
from loaders.characteristics import CharacteristicsByProduct
from loaders.json_rows import JsonColumn, JsonFound, JsonList, json_rows
from loaders.page import Window
from loaders.products import _products
from loaders.ratings import RatingsByReview
from loaders.review_pages import ReviewPages, _statement
from loaders.review_selection import SORTS, ReviewFilter, ReviewSelection
from tests.harness.databases import Databases, rows, run, value

ROOT = Path(__file__).resolve().parent.parent.parent


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``alembic`` as an operator runs it, on ``url``."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def migrated(databases: Databases) -> str:
    return databases.migrated()


OURS = """
SELECT kind, name FROM (
    SELECT 'relation' AS kind, relname::text AS name, relnamespace AS namespace FROM pg_class
    UNION ALL SELECT 'function', proname, pronamespace FROM pg_proc
    UNION ALL SELECT 'type', typname, typnamespace FROM pg_type
    UNION ALL SELECT 'trigger', tgname, relnamespace FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
) AS things
WHERE namespace = 'public'::regnamespace ORDER BY 1, 2
"""

# What a table, a constraint, an index and a sequence are, in PostgreSQL's own words.
SHAPE = """
SELECT format('%s.%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull, attgenerated,
              pg_get_expr(adbin, adrelid)) AS line
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND relname <> 'alembic_version'
UNION ALL
SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL
SELECT format('%s %s %s', sequencename, data_type, start_value) FROM pg_sequences WHERE schemaname = 'public'
ORDER BY 1
"""

BEHAVIOUR = """
SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1
"""


def lines(url: str, sql: str) -> list[str]:
    return [row["line"] for row in rows(url, sql)]


def test_up_down_and_up_again_gives_the_same_database_and_down_leaves_nothing(
    databases: Databases, migrated: str
) -> None:
    url = databases.empty()
    succeeded(alembic(url, "upgrade", "head"))
    succeeded(alembic(url, "downgrade", "base"))
    assert [tuple(row) for row in rows(url, OURS)] == [
        ("relation", "alembic_version"),
        ("relation", "alembic_version_pkc"),
        ("type", "_alembic_version"),
        ("type", "alembic_version"),
    ]
    assert rows(url, "SELECT * FROM alembic_version") == []
    succeeded(alembic(url, "upgrade", "head"))
    assert lines(url, SHAPE) == lines(migrated, SHAPE)
    assert lines(url, BEHAVIOUR) == lines(migrated, BEHAVIOUR)


def test_one_revision_down_and_the_current_one_are_told_on_the_command_line(databases: Databases) -> None:
    url = databases.migrated()
    assert succeeded(alembic(url, "current")) == f"{REVISION} (head)\n"
    succeeded(alembic(url, "downgrade", "-1"))
    assert succeeded(alembic(url, "current")) == f"{int(REVISION) - 1:04}\n"


def test_rows_written_before_the_figures_existed_are_counted_by_their_migration(databases: Databases) -> None:
    url = databases.empty()
    succeeded(alembic(url, "upgrade", "0001"))
    run(
        url,
        """
        INSERT INTO products (product_id, name) VALUES (1, 'p');
        INSERT INTO characteristics VALUES (1, 1, 'FIT');
        INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,
                             reviewer_email) VALUES (1, 1, 4, now(), 's', 'b', true, 'n', 'n@example.com');
        INSERT INTO ratings VALUES (1, 1, 1, 1, 5)
        """,
    )
    succeeded(alembic(url, "upgrade", "head"))
    assert value(url, "SELECT counts FROM product_figures") == [0] * 14 + [1] + [0] * 5
    assert value(url, "SELECT counts FROM characteristic_figures") == [0, 0, 0, 0, 1]


def test_autogenerate_finds_nothing(migrated: str) -> None:
    def difference(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert _on_engine(migrated, difference) == []


def test_models_and_migrations_declare_the_same_columns_constraints_indexes_and_sequences(
    databases: Databases, migrated: str
) -> None:
    declared = databases.empty()
    # Two indexes are on functions of ours, which the models do not declare.
    for name in ("search_words", "search_query", "product_words", "review_words"):
        run(declared, value(migrated, f"SELECT pg_get_functiondef('{name}'::regproc)"))
    _on_engine(declared, Base.metadata.create_all)
    assert lines(declared, SHAPE) == lines(migrated, SHAPE)


def _on_engine(url: str, work: Any) -> Any:
    async def connected() -> Any:
        engine = create_engine(url, connect={})
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(connected())


def test_the_build_needs_the_one_newest_migration() -> None:
    assert ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_heads() == [REVISION]


def test_the_sql_of_an_offline_run_builds_the_same_database(databases: Databases, migrated: str) -> None:
    url = databases.empty()
    run(url, succeeded(alembic("", "upgrade", "head", "--sql")))
    assert lines(url, SHAPE) == lines(migrated, SHAPE)
    assert lines(url, BEHAVIOUR) == lines(migrated, BEHAVIOUR)
    assert value(url, "SELECT version_num FROM alembic_version") == REVISION


def test_two_migrators_at_once_both_succeed(databases: Databases) -> None:
    url = databases.empty()
    migrators = [
        subprocess.Popen(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [migrator.communicate(timeout=60)[1] for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0, 0], said
    assert sum(text.count("Running upgrade") for text in said) == int(REVISION)


def test_a_migration_that_traffic_keeps_waiting_gives_up_and_changes_nothing(
    databases: Databases, migrated: str
) -> None:
    url = databases.empty()
    succeeded(alembic(url, "upgrade", "0001"))
    before = lines(url, SHAPE)

    async def while_locked() -> subprocess.CompletedProcess[str]:
        reader = await asyncpg.connect(url)
        try:
            # An open transaction that wrote to a table keeps the triggers of 0002 waiting.
            await reader.execute("BEGIN; INSERT INTO products (product_id, name) VALUES (1, 'p')")
            return await asyncio.to_thread(
                alembic, url, "-x", "lock_timeout_ms=200", "-x", "lock_tries=2", "upgrade", "head"
            )
        finally:
            await reader.close()

    gave_up = asyncio.run(while_locked())
    assert gave_up.returncode == 1
    assert gave_up.stderr.splitlines()[-1] == (
        "alembic: Traffic held a table for more than 200 ms each of 2 times, so the migration changed nothing: end "
        "what holds it (SELECT * FROM pg_stat_activity ORDER BY xact_start) and run it again, or try for longer "
        "with alembic -x lock_tries=200 upgrade head."
    )
    assert gave_up.stderr.count("it is tried again in 2 s, 1 times more") == 1
    assert "Traceback" not in gave_up.stderr
    assert lines(url, SHAPE) == before
    assert value(url, "SELECT version_num FROM alembic_version") == "0001"
    succeeded(alembic(url, "upgrade", "head"))
    assert lines(url, SHAPE) == lines(migrated, SHAPE)


def test_a_database_away_is_one_sentence_without_the_password() -> None:
    done = alembic("postgresql://shop:geheim@127.0.0.1:1/reviews", "upgrade", "head")
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("alembic: The database postgresql://shop:***@127.0.0.1:1/reviews cannot be reached: ")


def test_a_setting_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWS_PORT", "abc")
    done = alembic("", "current")
    assert (done.returncode, done.stderr) == (
        1,
        "alembic: REVIEWS_PORT='abc' cannot be used: expected a whole number from 0 to 65535.\n",
    )


def test_a_database_of_a_newer_build_is_left_alone(databases: Databases) -> None:
    url = databases.migrated()
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    before = lines(url, SHAPE)
    with pytest.raises(OperatorError) as refused:
        migrate(url, Settings())
    assert str(refused.value) == (
        "The database is at revision 9999, which this build does not know: run the newer build that made it, "
        "or choose another database or state folder."
    )
    assert lines(url, SHAPE) == before


def test_a_migrated_database_has_nothing_to_be_done(databases: Databases) -> None:
    url = databases.empty()
    assert [migrate(url, Settings()), migrate(url, Settings())] == [True, False]


def test_the_installed_alembic_is_not_shadowed_by_our_folder() -> None:
    assert [folder for folder in ("alembic", "docker") if (ROOT / folder / "__init__.py").exists()] == []
    shown = subprocess.run(
        [sys.executable, "-c", "import alembic; print(alembic.__file__)"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(shown.stdout.strip()).parent.parent.name == "site-packages"


# What the catalogue of PostgreSQL says of the keys and indexes.

KEYS = """
SELECT conrelid::regclass::text AS table, contype::text AS kind,
       (SELECT array_agg(attname::text ORDER BY place)
        FROM unnest(conkey) WITH ORDINALITY AS key (attnum, place)
        JOIN pg_attribute USING (attnum) WHERE attrelid = conrelid) AS columns
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u')
"""
WITHOUT_PRODUCT = {
    "alembic_version",
    "category_figures",
    "loads",
    "load_progress",
    "load_chunks",
    "load_marks",
    "documents",
    "changes_forgotten",
}


def test_every_key_and_unique_constraint_below_a_product_begins_with_it(migrated: str) -> None:
    found = [row for row in rows(migrated, KEYS) if row["table"] not in WITHOUT_PRODUCT]
    assert {row["table"] for row in found if row["kind"] == "p"} == {
        *("products", "characteristics", "reviews", "photos", "ratings", "product_figures", "characteristic_figures"),
        *("helpful_votes", "reports", "idempotency_keys", "changes", "moderations"),
    }
    assert [row for row in found if row["columns"][0] != "product_id"] == []


def test_every_unique_index_is_of_a_key(migrated: str) -> None:
    unique = rows(
        migrated,
        """
        SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace AND indisunique
          AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
        """,
    )
    assert unique == []


INDEX = """
SELECT pg_get_indexdef(oid, indnkeyatts, true) AS last, pg_get_indexdef(oid, 1, true) AS first,
       pg_get_expr(indpred, indrelid) AS condition
FROM pg_class JOIN pg_index ON indexrelid = oid WHERE relname = $1
"""


@pytest.mark.parametrize("sort", SORTS)
def test_the_index_of_a_sort_ends_in_the_review_and_holds_visible_ones_only(migrated: str, sort: str) -> None:
    ((last, first, condition),) = rows(migrated, INDEX, f"ix_reviews_{sort.lower()}")
    assert (first, last, condition) == ("product_id", "review_id", "(NOT reported)")


# A page is a walk along the index of its sort, the first page and the deepest.

REVIEWS = 5_000
VISIBLE = REVIEWS - REVIEWS // 20


@pytest.fixture(scope="module")
def large(databases: Databases) -> str:
    """A database whose product 1 has 5,000 reviews, among them 250 that are reported, and 40 others with a few."""
    url = databases.migrated()
    run(
        url,
        f"""
        INSERT INTO products SELECT p, 'p' FROM generate_series(1, 41) AS p;
        INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reported,
                             reviewer_name, reviewer_email, helpfulness)
        SELECT 1, n, n % 5 + 1, '2024-01-01'::timestamptz + n * interval '1 minute', 's', 'b', n % 2 = 0, n % 20 = 0,
               'n', 'n@example.com', n % 37 FROM generate_series(1, {REVIEWS}) AS n
        UNION ALL
        SELECT n % 40 + 2, n, n % 5 + 1, '2024-01-01'::timestamptz + n * interval '1 minute', 's', 'b', true, false,
               'n', 'n@example.com', 0 FROM generate_series({REVIEWS + 1}, {REVIEWS + 400}) AS n
        """,
    )
    run(url, "ANALYZE reviews")
    return url


@pytest.fixture(scope="module")
def vacuumed(large: str, databases: Databases) -> str:
    """The same once autovacuum has been there, so that indexes can answer without the table."""
    url = databases.copy_of(large)
    run(url, "VACUUM reviews")
    return url


WRITTEN = Extent(json=json_rows((("rating", JsonColumn("rating")), ("body", JsonColumn("body")))))


def plan_of(url: str, sort: str, skipped: int | None, extent: Extent = ROWS) -> dict[str, Any]:
    """The plan of the loader's own statement for a page of five, from the start or after ``skipped`` reviews.

    Written as JSON, a page from the start comes with its product.
    """
    selection = ReviewSelection(sort, ReviewFilter(), Window(5), has_after=skipped is not None, has_before=False)
    with_product = ReviewPages.beside_product(selection, extent)
    statement = _statement(selection, extent) if with_product is None else _products((with_product,))
    parameters: dict[str, list[Any]] = {"product_id": [1], "product_ids": [1]}
    if skipped is not None:
        names = [key.attribute for key in SORTS[sort]]
        order = ", ".join(f"{key.sign} * {key.attribute}" if key.sign < 0 else key.attribute for key in SORTS[sort])
        order = ", ".join(f"{part} DESC" for part in [*order.split(", "), "review_id"])
        ((*position, number),) = rows(
            url,
            f"SELECT {', '.join(names)}, review_id FROM reviews WHERE product_id = 1 AND NOT reported"
            f" ORDER BY {order} OFFSET {skipped - 1} LIMIT 1",
        )
        for place, (key, found) in enumerate(zip(SORTS[sort], position, strict=True)):
            parameters[f"after_{place}"] = [-found if key.sign < 0 else found]
        parameters[f"after_{len(position)}"] = [number]
    arguments = [parameters[name] for name in statement._order]
    text = value(url, f"EXPLAIN (ANALYZE, FORMAT JSON, COSTS OFF, TIMING OFF) {statement.text}", *arguments)
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def scans(plan: dict[str, Any]) -> Sequence[dict[str, Any]]:
    return [node for node in nodes(plan) if node.get("Relation Name") == "reviews"]


@pytest.mark.parametrize("skipped", [None, 5, VISIBLE // 2, VISIBLE - 10])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("state", ["large", "vacuumed"])
def test_a_page_reads_its_six_reviews_from_the_index_of_its_sort(
    request: pytest.FixtureRequest, state: str, sort: str, skipped: int | None
) -> None:
    plan = plan_of(request.getfixturevalue(state), sort, skipped)
    assert [node["Node Type"] for node in nodes(plan) if "Sort" in node["Node Type"]] == []
    # The second scan asks whether anything lies before the cursor.
    assert {scan["Index Name"] for scan in scans(plan)} == {f"ix_reviews_{sort.lower()}"}
    # The probe for what lies before the cursor runs once, whatever the rows of the page.
    found = [(scan["Actual Rows"], scan["Actual Loops"]) for scan in scans(plan)]
    assert found == ([(6, 1)] if skipped is None else [(1, 1), (6, 1)])
    assert [scan.get("Rows Removed by Filter", 0) for scan in scans(plan)] == [0] * len(scans(plan))


@pytest.mark.parametrize("skipped", [None, VISIBLE // 2])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("state", ["large", "vacuumed"])
def test_a_page_that_is_written_as_json_reads_no_more(
    request: pytest.FixtureRequest, state: str, sort: str, skipped: int | None
) -> None:
    plan = plan_of(request.getfixturevalue(state), sort, skipped, WRITTEN)
    assert {scan["Index Name"] for scan in scans(plan)} == {f"ix_reviews_{sort.lower()}"}
    found = [(scan["Actual Rows"], scan["Actual Loops"]) for scan in scans(plan)]
    assert found == ([(6, 1)] if skipped is None else [(1, 1), (6, 1)])
    assert [scan.get("Rows Removed by Filter", 0) for scan in scans(plan)] == [0] * len(scans(plan))


RATED = json_rows(
    (("kind", JsonFound(CharacteristicsByProduct, "characteristic_id", json_rows((("kind", JsonColumn("kind")),)))),)
)


@pytest.mark.parametrize("skipped", [None, VISIBLE // 2])
@pytest.mark.parametrize("state", ["large", "vacuumed"])
def test_what_its_ratings_say_is_looked_for_once_and_not_for_each(
    request: pytest.FixtureRequest, state: str, skipped: int | None
) -> None:
    written = Extent(json=json_rows((("ratings", JsonList(RatingsByReview, RATED)),)))
    plan = plan_of(request.getfixturevalue(state), "RELEVANT", skipped, written)
    loops = {node["Relation Name"]: node["Actual Loops"] for node in nodes(plan) if "Relation Name" in node}
    assert (loops["characteristics"], loops["ratings"]) == (1, 6)
