"""What a position stands for, and how far a standby must be for what is told."""

from __future__ import annotations

import asyncio

import asyncpg

from graphql_api.changes.changed import NO_PLACE, NO_TRANSACTION, Changed
from graphql_api.changes.reader import Reader
from tests.harness.databases import Databases


def test_a_position_in_one_database_is_none_in_another_of_the_same_server(databases: Databases) -> None:
    first, second = databases.migrated(), databases.migrated()

    async def scenario() -> None:
        one, other = await asyncpg.connect(first), await asyncpg.connect(second)
        try:
            position = str((await Reader.open(one)).position)
            assert await (await Reader.open(one)).go_on_from(position)
            assert not await (await Reader.open(other)).go_on_from(position)
        finally:
            await one.close()
            await other.close()

    asyncio.run(scenario())


def test_a_change_that_is_seen_before_it_is_flushed_comes_with_its_place_in_the_log(databases: Databases) -> None:
    url = databases.migrated()

    async def scenario() -> None:
        writer, connection = await asyncpg.connect(url), await asyncpg.connect(url)
        try:
            reader = await Reader.open(connection)
            await writer.execute("SET synchronous_commit = off")
            for number in range(20):
                await writer.execute(f"SELECT record_change('{{product:{number}}}', {number})")
                end = await writer.fetchval("SELECT pg_current_wal_insert_lsn()::text")
                reading = await reader.read()
                assert [tags for _, tags in reading.changes] == [f"product:{number}"]
                assert await writer.fetchval("SELECT $1::text::pg_lsn >= $2::text::pg_lsn", reading.lsn, end)
        finally:
            await writer.close()
            await connection.close()

    asyncio.run(scenario())


def test_a_transaction_whose_place_is_not_known_leaves_that_of_the_one_before() -> None:
    changed = Changed()
    changed.add("7", "0/1A", ["product:1"])
    changed.add(NO_TRANSACTION, NO_PLACE, ["product:2"])

    assert changed.header() == b"7,0 0/1A product:1 product:2"
