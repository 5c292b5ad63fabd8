"""The store of documents on a real database: what replicas share, what is bounded, and what a fault takes along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from graphql_api.db.engine import Database, open_database
from graphql_api.documents import store as module
from graphql_api.documents.store import Store
from graphql_api.execution.document import Document, Documents
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import recorded_statements

SCHEMA = build_schema()
AWAY = "postgresql://nobody@127.0.0.1:1/none"


# Bounds and times are shortened below, and nothing is replaced: the store, the table and PostgreSQL are the real ones.
def store(**given: Any) -> Store:
    """A replica's store."""
    settings = Settings(**given)
    return Store(Documents(SCHEMA, settings), settings)


def document(text: str) -> Document:
    made = Documents(SCHEMA, Settings(max_document_bytes=1_000_000)).make(text)
    assert isinstance(made, Document)
    return made


def numbered(number: int) -> Document:
    return document(f"query Numbered{number} {{ __typename }}")


def stored(url: str) -> set[str]:
    return {row["sha256"] for row in rows(url, "SELECT sha256 FROM documents")}


@pytest.fixture(scope="module")
def migrated(databases: Databases) -> str:
    return databases.migrated()


@pytest.fixture
def url(migrated: str) -> str:
    """A database without documents."""
    run(migrated, "DELETE FROM documents")
    return migrated


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    async with open_database(url, Settings()) as database:
        yield database


def on(url: str, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    """What ``work`` gives, on the database of ``url``."""

    async def opened_and_worked() -> Any:
        async with opened(url) as database:
            return await work(database)

    return asyncio.run(opened_and_worked())


def test_what_one_store_registers_another_finds(url: str) -> None:
    one, other, sent = store(), store(), numbered(1)

    async def work(database: Database) -> Document | None:
        await one.register(sent, database)
        return await other.find(sent.sha256, database)

    found = on(url, work)
    assert found is not None
    assert (found.text, found.sha256) == (sent.text, sent.sha256)
    assert other.known(sent.sha256) is found
    assert rows(url, "SELECT sha256, body FROM documents") == [(sent.sha256, sent.text)]


def test_a_store_that_remembers_fills_a_table_that_was_wiped(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, sent = store(), numbered(1)
    on(url, lambda database: one.register(sent, database))
    run(url, "DELETE FROM documents")
    on(url, lambda database: one.register(sent, database))
    assert stored(url) == set()  # within the second
    monkeypatch.setattr(module, "_REWRITTEN_S", 0.0)
    on(url, lambda database: one.register(sent, database))
    assert stored(url) == {sent.sha256}


def test_one_hash_is_looked_for_once_by_all_who_ask_together(url: str) -> None:
    one = store()

    async def work(database: Database) -> list[Document | None]:
        return await asyncio.gather(*(one.find("0" * 64, database) for _ in range(50)))

    with recorded_statements() as statements:
        assert on(url, work) == [None] * 50
    assert statements == ["document by hash"]


def test_whoever_leaves_does_not_end_the_search_for_the_others(url: str) -> None:
    one, sent = store(), numbered(1)
    on(url, lambda database: store().register(sent, database))

    async def work(database: Database) -> Document | None:
        first = asyncio.create_task(one.find(sent.sha256, database))
        second = asyncio.create_task(one.find(sent.sha256, database))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert on(url, work).sha256 == sent.sha256


def test_a_hash_that_is_registered_by_many_together_is_written_once(url: str) -> None:
    one, sent = store(), numbered(1)

    async def work(database: Database) -> None:
        await asyncio.gather(*(one.register(sent, database) for _ in range(50)))

    with recorded_statements() as statements:
        on(url, work)
    assert statements == ["document stored", "documents forgotten"]


def test_stores_that_register_the_same_together_do_not_disturb_each_other(url: str) -> None:
    stores, sent = [store(max_documents=10) for _ in range(4)], [numbered(number) for number in range(20)]

    async def work(database: Database) -> None:
        await asyncio.gather(*(one.register(each, database) for one in stores for each in sent))

    on(url, work)
    last = numbered(20)
    on(url, lambda database: stores[0].register(last, database))
    assert (len(stored(url)), last.sha256 in stored(url)) == (10, True)


def test_the_least_recently_used_goes_when_there_are_too_many(url: str) -> None:
    one, sent = store(max_documents=3), [numbered(number) for number in range(4)]
    for each in sent[:3]:
        on(url, lambda database, each=each: one.register(each, database))
    run(url, "UPDATE documents SET last_used_at = now() + interval '1 hour' WHERE sha256 = $1", sent[0].sha256)
    on(url, lambda database: one.register(sent[3], database))
    assert stored(url) == {sent[0].sha256, sent[2].sha256, sent[3].sha256}


def test_equally_old_ones_do_not_go_together(url: str) -> None:
    run(
        url,
        "INSERT INTO documents (sha256, body, last_used_at)"
        " SELECT lpad(n::text, 64, '0'), '{ __typename }', '2026-01-01' FROM generate_series(1, 10) AS n",
    )
    sent = numbered(1)
    on(url, lambda database: store(max_documents=8).register(sent, database))
    assert stored(url) == {*(f"{number:064}" for number in range(4, 11)), sent.sha256}


def test_a_registration_does_not_wait_for_a_row_that_another_holds(url: str) -> None:
    held, free, sent = (numbered(number) for number in range(3))
    for each in (held, free):
        on(url, lambda database, each=each: store().register(each, database))

    async def work(database: Database) -> None:
        holder = await asyncpg.connect(url)
        try:
            async with holder.transaction():
                await holder.execute("SELECT FROM documents WHERE sha256 = $1 FOR UPDATE", held.sha256)
                async with asyncio.timeout(5):
                    await store(max_documents=1).register(sent, database)
        finally:
            await holder.close()

    on(url, work)
    assert stored(url) == {held.sha256, sent.sha256}


def test_trusted_documents_are_never_in_the_table_nor_pushed_out(url: str) -> None:
    one = store(max_documents=1)
    (page,) = [found.document for found in one.trusted if found.shipped.file.stem == "ProductPage"]

    async def work(database: Database) -> None:
        await one.register(page, database)
        for number in range(5):
            await one.register(numbered(number), database)

    on(url, work)
    assert stored(url) == {numbered(4).sha256}
    assert one.known(page.sha256) is page
    assert one.is_trusted(page)
    assert not one.is_trusted(numbered(4))


@pytest.mark.parametrize(
    "text",
    ["{ __typename } #" + "a" * 100_000, "{ __typename } #\0", '{ node(id: "\0") { id } }'],
    ids=["too long", "U+0000 in a comment", "U+0000 in a string"],
)
def test_what_the_table_cannot_hold_is_not_stored_and_no_error(url: str, text: str) -> None:
    one, sent = store(), document(text)
    on(url, lambda database: one.register(sent, database))
    assert (stored(url), one.known(sent.sha256)) == (set(), None)


@pytest.mark.parametrize("body", ["{ nothing }", "query Other { __typename }", "{"])
def test_a_row_that_is_not_the_document_of_its_hash_is_unknown(url: str, body: str) -> None:
    run(url, "INSERT INTO documents (sha256, body) VALUES ($1, $2)", "0" * 64, body)
    one = store()
    assert on(url, lambda database: one.find("0" * 64, database)) is None
    assert one.known("0" * 64) is None


@pytest.mark.parametrize("id_", ["", "ProductPage", "0" * 63, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_hash_does_not_reach_the_database(id_: str) -> None:
    assert on(AWAY, lambda database: store().find(id_, database)) is None


def test_a_database_that_is_away_is_an_error_and_trusted_ones_are_known_all_the_same(url: str) -> None:
    one, sent = store(), numbered(1)
    (page,) = [found.document for found in one.trusted if found.shipped.file.stem == "ProductPage"]
    with pytest.raises(OSError, match="1"):
        on(AWAY, lambda database: one.find("0" * 64, database))
    with pytest.raises(OSError, match="1"):
        on(AWAY, lambda database: one.register(sent, database))
    assert one.known(sent.sha256) is None
    assert on(AWAY, lambda database: one.find(page.sha256, database)) is page
    on(url, lambda database: one.register(sent, database))
    assert stored(url) == {sent.sha256}


# --- Memory


def test_memory_is_bounded_by_documents(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_IN_MEMORY", 3)
    one, sent = store(), [numbered(number) for number in range(4)]

    async def work(database: Database) -> None:
        for each in sent[:3]:
            await one.register(each, database)
        one.known(sent[0].sha256)
        await one.register(sent[3], database)

    on(url, work)
    assert [one.known(each.sha256) is None for each in sent] == [False, True, False, False]


def test_memory_is_bounded_by_characters(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [numbered(number) for number in range(3)]
    monkeypatch.setattr(module, "_MOST_CHARACTERS", 2 * len(sent[0].text))
    one = store()

    async def work(database: Database) -> None:
        for each in sent:
            await one.register(each, database)

    on(url, work)
    assert [one.known(each.sha256) is None for each in sent] == [True, False, False]


# --- When a document was last used

AGE = "UPDATE documents SET last_used_at = now() - $1::text::interval"
MINUTES = "SELECT extract(epoch FROM now() - last_used_at)::integer / 60 FROM documents"


@pytest.mark.parametrize(("age", "minutes"), [("2 hours", 0), ("59 minutes", 59)])
def test_a_use_is_written_in_the_background_once_an_hour(
    url: str, monkeypatch: pytest.MonkeyPatch, age: str, minutes: int
) -> None:
    monkeypatch.setattr(module, "_TOUCHED_S", 0.05)
    one, sent = store(), numbered(1)

    async def work(database: Database) -> None:
        await one.register(sent, database)
        await database_says(url, AGE, age)
        assert one.known(sent.sha256) is not None
        await asyncio.sleep(0.5)

    on(url, work)
    assert value(url, MINUTES) == minutes


async def database_says(url: str, sql: str, *arguments: object) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql, *arguments)
    finally:
        await connection.close()


def test_a_use_that_cannot_be_written_is_a_line_in_the_log(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_TOUCHED_S", 0.05)
    one, sent = store(), numbered(1)

    async def work(database: Database) -> None:
        await one.register(sent, database)
        one.known(sent.sha256)
        async with opened(AWAY) as away:
            one._touch(away)
            await asyncio.sleep(0.2)

    with caplog.at_level(logging.WARNING, "reviews"):
        on(url, work)
    assert [record.getMessage() for record in caplog.records] == [
        "It is not written which documents are in use: ConnectionRefusedError"
    ]
