"""A database that was found away is tried until it answers."""

from __future__ import annotations

import asyncio

from graphql_api.db.availability import Availability
from graphql_api.processes import free_port
from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases


def test_a_database_that_was_lost_is_there_again_when_it_answers(databases: Databases) -> None:
    async def lost_and_found(url: str) -> None:
        availability = Availability(Settings(database_url=Secret(url)))
        availability.lost("a test")
        assert availability.is_away
        async with asyncio.timeout(10):
            while availability.is_away:  # noqa: ASYNC110 - nobody else says when
                await asyncio.sleep(0.01)

    asyncio.run(lost_and_found(databases.migrated()))


def test_a_database_that_takes_no_connections_stays_away() -> None:
    asyncio.run(_stays_away(free_port(), seconds=0.5))


def test_a_database_that_is_silent_stays_away() -> None:
    async def silent() -> None:
        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(hear, "127.0.0.1", 0) as listening:
            await _stays_away(listening.sockets[0].getsockname()[1], seconds=1.2)

    asyncio.run(silent())


async def _stays_away(port: int, *, seconds: float) -> None:
    availability = Availability(Settings(database_url=Secret(f"postgresql://postgres@127.0.0.1:{port}/reviews")))
    availability.lost("a test")
    await asyncio.sleep(seconds)
    assert availability.is_away
    await availability.close()
    assert not availability.is_away
