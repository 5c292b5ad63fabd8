"""That the tables can be spread over servers by ``product_id``: keys and statements, and what is left out of it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS, stocked
from tests.harness.databases import Databases, rows
from tests.harness.gateway import Gateway, hearing_statements, running_gateway
from tests.harness.processes import ROOT
from tests.harness.shop import Shop
from tests.mutations.test_add_review import wanted

DISTRIBUTED = [
    "products",
    "characteristics",
    "reviews",
    "photos",
    "ratings",
    "product_figures",
    "characteristic_figures",
    "helpful_votes",
    "reports",
    "moderations",
    "idempotency_keys",
    "changes",
]
"""By ``product_id``, parents first."""

ELSEWHERE = {
    "alembic_version": "local: one row, read when a process looks whether it is ready",
    "changes_forgotten": "local: one row, up to where changes are gone",
    "category_figures": "reference: a few rows, one a category of the whole shop",
    "documents": "reference: keyed by the hash of a text, and no product's",
    "load_chunks": "local: of the ETL while it loads",
    "load_marks": "local: of the ETL, which compares an export with the last one",
    "load_progress": "local: of the ETL while it loads",
    "loads": "local: of the ETL, one row a load",
}
"""Tables that are not distributed, with what they become and why."""

BY_NUMBER = "the look-up of a review by its plain number"
WHOLE_SHOP = "a list of the whole shop"
UNIQUE = """
    SELECT index.indexrelid::regclass::text,
           array(SELECT attname::text FROM pg_attribute WHERE attrelid = index.indrelid AND attnum = ANY (index.indkey))
    FROM pg_index AS index JOIN pg_class ON pg_class.oid = index.indrelid
    WHERE indisunique AND relnamespace = 'public'::regnamespace AND relname = ANY ($1)
"""
FOREIGN = """
    SELECT conrelid::regclass::text, confrelid::regclass::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """The address of a database as the migrations make it."""
    return databases.migrated()


def test_each_table_is_distributed_or_named_with_the_reason(url: str) -> None:
    found = rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert sorted(name for (name,) in found) == sorted([*DISTRIBUTED, *ELSEWHERE])


def test_each_unique_constraint_of_a_distributed_table_carries_the_product(url: str) -> None:
    found = dict(map(tuple, rows(url, UNIQUE, DISTRIBUTED)))
    assert {"pk_reviews", "uq_reports_product_id_review_id_voter"} < set(found)
    assert [name for name, columns in found.items() if "product_id" not in columns] == []


def test_each_foreign_key_leads_to_the_same_product(url: str) -> None:
    for table, other, definition in rows(url, FOREIGN):
        assert {table, other} <= set(DISTRIBUTED)
        assert re.match(r"FOREIGN KEY \(product_id\b.*\) REFERENCES \w+\(product_id\b", definition), definition


def test_the_page_names_the_same_tables() -> None:
    page = (ROOT / "docs" / "citus.md").read_text()
    assert re.findall(r"create_distributed_table\('(\w+)', 'product_id'", page) == DISTRIBUTED
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)) == ELSEWHERE


class Ran(NamedTuple):
    """A statement that the gateway ran."""

    name: str
    sql: str


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.ran: set[Ran] = set()

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.args, tuple)
        sql: str = record.sql  # type: ignore[attr-defined] # what writes the line gives it
        self.ran.add(Ran(str(record.args[0]), sql))


@contextmanager
def recorded() -> Iterator[set[Ran]]:
    """The statements that gateways of this process run meanwhile."""
    recorder = _Recorder()
    with hearing_statements(recorder):
        yield recorder.ran


SORTS = ["RELEVANT", "NEWEST", "HELPFUL", "HIGHEST_RATED", "LOWEST_RATED"]
FILTERS: list[dict[str, Any]] = [
    {},
    {"ratings": [3]},
    {"recommended": True},
    {"withPhotos": True},
    {"ratings": [3, 4], "search": "good"},
]
PAGE = """
    query ($id: ID!, $sort: ReviewSort, $filter: ReviewFilter, $first: Int, $after: String, $last: Int, $before: String)
    { product(id: $id) { reviews(first: $first, after: $after, last: $last, before: $before, sort: $sort,
        filter: $filter) { totalCount ratingCounts { rating count }
        nodes { id photos { id } characteristicRatings { value } } pageInfo { endCursor } } } }
"""
PHOTOS = """
    query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String)
    { product(id: $id) { reviewPhotos(first: $first, after: $after, last: $last, before: $before)
      { totalCount nodes { id review { id } } pageInfo { endCursor } } } }
"""
CATALOG = """
    query ($category: String, $search: String, $first: Int, $after: String, $last: Int, $before: String)
    { catalog(category: $category, search: $search, first: $first, after: $after, last: $last, before: $before)
      { totalCount nodes { id ratingSummary { average } characteristics { kind } } pageInfo { endCursor } } }
"""


def use(gateway: Gateway, shop: Shop) -> None:
    """Ask for everything that the gateway has a statement for, and write what it can write."""
    product = stocked(shop, 5)
    number = product.number
    gateway.data(DOCUMENTS["ProductPage"], id=number)
    gateway.data(DOCUMENTS["MoreReviews"], id=number, filter={"search": "good"})
    gateway.data(DOCUMENTS["ProductCards"], ids=[number])
    for sort in SORTS:
        for filter_ in FILTERS:
            page = gateway.data(PAGE, id=number, sort=sort, filter=filter_, first=2)["product"]["reviews"]
            end = page["pageInfo"]["endCursor"]
            gateway.data(PAGE, id=number, sort=sort, filter=filter_, first=2, after=end)
            gateway.data(PAGE, id=number, sort=sort, filter=filter_, last=2, before=end)
    end = gateway.data(PHOTOS, id=number, first=2)["product"]["reviewPhotos"]["pageInfo"]["endCursor"]
    gateway.data(PHOTOS, id=number, first=2, after=end)
    gateway.data(PHOTOS, id=number, last=2, before=end)
    for chosen in ({}, {"category": "Shoes"}, {"search": "product"}, {"category": "Shoes", "search": "product"}):
        end = gateway.data(CATALOG, first=2, **chosen)["catalog"]["pageInfo"]["endCursor"]
        gateway.data(CATALOG, first=2, after=end, **chosen)
        gateway.data(CATALOG, last=2, before=end, **chosen)
    gateway.data("{ categories { name productCount } }")
    node = gateway.data(PAGE, id=number, first=1)["product"]["reviews"]["nodes"][0]
    shown = gateway.data("query ($id: ID!) { product(id: $id) { id characteristics { id } } }", id=number)["product"]
    ids = [shown["id"], node["id"], node["photos"][0]["id"], *(one["id"] for one in shown["characteristics"])]
    found = gateway.data("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)["nodes"]
    assert [one["id"] for one in found] == ids
    review = shop.review(product)
    gateway.data("query ($id: ID!) { review(id: $id) { id product { id } } }", id=review)
    gateway.data("query ($id: ID!) { review(id: $id) { id product { id } } }", id=node["id"])
    sent = wanted(product, photos=["https://photos.example/1.jpg"], idempotencyKey="once")
    for _ in range(2):
        gateway.data(DOCUMENTS["AddReview"], input=sent)
    for id_ in (node["id"], review):
        for name in ("MarkReviewHelpful", "ReportReview"):
            for _ in range(2):
                gateway.data(DOCUMENTS[name], input={"reviewId": id_, "voter": "a"})


async def scans_without_product(url: str, ran: set[Ran]) -> set[tuple[str, str]]:
    """The statements, by name, and the distributed tables that they read without saying which products.

    As PostgreSQL itself understands them: each scan of such a table must have its ``product_id`` compared for equality
    in some condition of the plan, which is made without knowing the parameters.
    """
    connection = await asyncpg.connect(url, statement_cache_size=0)
    found = set()
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for name, sql in sorted(ran):
            if re.match(r"(?i)\s*insert", sql):
                table, columns = re.search(r"INSERT INTO (\w+) \(([^)]*)\)", sql).groups()  # type: ignore[union-attr]
                if table in DISTRIBUTED and "product_id" not in columns.split(", "):
                    found.add((name, table))
            count = len(set(re.findall(r"\$\d+", sql)))
            await connection.execute(f"PREPARE one AS {sql}")
            values = f"({', '.join(['NULL'] * count)})" if count else ""
            plan = await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE one{values}")
            await connection.execute("DEALLOCATE one")
            nodes = list(nodes_of(json.loads(plan)[0]["Plan"]))
            conditions = " ".join(str(text) for node in nodes for key, text in node.items() if key.endswith(CONDITIONS))
            for node in nodes:
                alias = re.escape(node.get("Alias", ""))
                equal = rf"\b{alias}\.product_id( \+ 0\))? = |= (ANY \()?{alias}\.product_id\b"
                scanned = node.get("Relation Name") if "Scan" in node["Node Type"] else None
                if scanned in DISTRIBUTED and not re.search(equal, conditions):
                    found.add((name, scanned))
    finally:
        await connection.close()
    return found


CONDITIONS = ("Cond", "Filter")


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def across(name: str) -> str | None:
    """Why the statement of that name may ask all servers."""
    if name in {"reviews by number", "vote by number", "review locked by number"}:
        return BY_NUMBER
    return WHOLE_SHOP if re.match(r"catalog( count$| with |$)", name) else None


@pytest.mark.parametrize("execution", ["compiled", "reference"])
def test_each_statement_names_the_product_but_for_those_that_cannot(url: str, tmp_path: Path, execution: str) -> None:
    settings = Settings(
        database_url=Secret(url), state=tmp_path, execution=execution, voter_secret=Secret("a test's"), documents="any"
    )
    with running_gateway(settings) as gateway, recorded() as ran:
        use(gateway, Shop(url))
    without = asyncio.run(scans_without_product(url, ran))
    assert {(across(name), table) for name, table in without} == {
        (BY_NUMBER, "reviews"),
        (WHOLE_SHOP, "products"),
    }


def test_a_statement_that_does_not_name_the_product_is_found(url: str) -> None:
    bad = {
        Ran("all", "SELECT summary FROM reviews WHERE rating = $1"),
        Ran("joined otherwise", "SELECT url FROM reviews JOIN photos USING (review_id) WHERE reviews.product_id = $1"),
        Ran("beyond", "SELECT name FROM products WHERE product_id > $1"),
        Ran("stored", "INSERT INTO reports (review_id, voter) VALUES ($1, $2)"),
        Ran("by an expression", "SELECT summary FROM reviews WHERE product_id + 1 = $1"),
        Ran("good", "SELECT summary FROM reviews WHERE product_id = ANY ($1::bigint[])"),
    }
    assert asyncio.run(scans_without_product(url, bad)) == {
        ("all", "reviews"),
        ("by an expression", "reviews"),
        ("joined otherwise", "photos"),
        ("beyond", "products"),
        ("stored", "reports"),
    }
