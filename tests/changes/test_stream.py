"""The stream of changes: each transaction once, after its commit, in whatever order they commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import asyncpg
import httpx
import pytest

from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases, run, value
from tests.harness.gateway import Gateway, running_gateway

PATIENCE_S = 5


@pytest.fixture(scope="module")
def told(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = Settings(database_url=Secret(databases.migrated()), state=tmp_path_factory.mktemp("told"))
    with running_gateway(settings) as running:
        yield running


class Listener:
    """Reads the stream's lines."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.position = ""
        self.first = ""

    async def line(self) -> list[str]:
        """The next line's words."""
        words = (await asyncio.wait_for(anext(self._lines), PATIENCE_S)).split()
        if words[0] in {"from", "reset", "at"}:
            self.position = words[1]
        return words

    async def rest(self) -> AsyncIterator[list[str]]:
        """The words of each line until the end."""
        async for text in self._lines:
            yield text.split()

    async def changes(self) -> list[list[str]]:
        """The tags of the changes that are told next, until all of them have been."""
        found: list[list[str]] = []
        while (words := await self.line())[0] == "change" or not found:
            if words[0] == "change":
                found.append(words[2:])
        return found


@asynccontextmanager
async def listening(gateway: Gateway, after: str = "") -> AsyncIterator[Listener]:
    """A listener that has heard the first line and the first sign of life."""
    async with (
        httpx.AsyncClient(timeout=PATIENCE_S) as client,
        client.stream("GET", f"{gateway.url}/internal/changes", params={"after": after} if after else {}) as answer,
    ):
        assert answer.status_code == 200
        listener = Listener(answer.aiter_lines())
        listener.first = (await listener.line())[0]
        yield listener


Connect = Callable[[], Awaitable[asyncpg.Connection]]


@asynccontextmanager
async def connections(gateway: Gateway, count: int) -> AsyncIterator[list[asyncpg.Connection]]:
    """So many sessions on the gateway's database."""
    made = [await asyncpg.connect(gateway.database) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.terminate()


async def record(connection: asyncpg.Connection, tag: str) -> None:
    await connection.execute("SELECT record_change(ARRAY[$1], 0)", tag)


def test_a_change_is_told_after_its_commit_and_once(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 1) as (one,), listening(told) as listener:
            assert listener.first == "reset"
            assert (await listener.line())[0] == "at"
            transaction = one.transaction()
            await transaction.start()
            await record(one, "product:1")
            # A sign of life in between, and no change.
            assert [(await listener.line())[0] for _ in range(2)] == ["at", "at"]
            await transaction.commit()
            assert await listener.changes() == [["product:1"]]
            assert [(await listener.line())[0] for _ in range(2)] == ["at", "at"]

    asyncio.run(scenario())


def test_commits_out_of_order_are_all_told_though_another_writer_goes_on(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 4) as (long, first, second, third), listening(told) as listener:
            begun = [one.transaction() for one in (long, first, second)]
            for transaction in begun:
                await transaction.start()
            for one, tag in ((long, "product:10"), (first, "product:11"), (second, "product:12")):
                await record(one, tag)
            await record(third, "product:13")
            assert await listener.changes() == [["product:13"]]
            await begun[2].commit()
            assert await listener.changes() == [["product:12"]]
            await begun[1].commit()
            assert await listener.changes() == [["product:11"]]
            await begun[0].commit()
            assert await listener.changes() == [["product:10"]]

    asyncio.run(scenario())


def test_what_is_rolled_back_is_not_told_and_what_a_savepoint_kept_is(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 1) as (one,), listening(told) as listener:
            async with one.transaction():
                await record(one, "product:20")
                inner = one.transaction()
                await inner.start()
                await record(one, "product:21")
                await inner.rollback()
                async with one.transaction():
                    await record(one, "product:22")
            assert await listener.changes() == [["product:20"], ["product:22"]]

    asyncio.run(scenario())


def test_a_reader_that_was_away_goes_on_where_it_was(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 2) as (one, running):
            async with listening(told) as listener:
                transaction = running.transaction()
                await transaction.start()
                await record(running, "product:30")
                await record(one, "product:31")
                assert await listener.changes() == [["product:31"]]
                position = listener.position
            await record(one, "product:32")
            await transaction.commit()
            async with listening(told, position) as listener:
                assert listener.first == "from"
                assert sorted(await listener.changes()) == [["product:30"], ["product:32"]]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: "nonsense", id="no position"),
        pytest.param(lambda position: "1" + position, id="another database"),
        pytest.param(lambda position: position.split(":")[0] + ":99999999:99999999:", id="ahead of this one"),
        pytest.param(lambda position: position.split(":")[0] + ":9:3:", id="no snapshot"),
        pytest.param(lambda position: position.split(":")[0] + ":3:3:", id="long ago"),
    ],
)
def test_another_position_begins_anew(told: Gateway, change: Callable[[str], str]) -> None:
    async def scenario() -> None:
        async with listening(told) as listener:
            position = listener.position
        async with listening(told, change(position)) as listener:
            assert listener.first == "reset"

    asyncio.run(scenario())


def test_old_changes_are_removed_and_readers_of_before_begin_anew(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 1) as (one,):
            async with listening(told) as listener:
                position = listener.position
            await record(one, "product:40")
            ten_minutes_later = "UPDATE changes_forgotten SET next_at = next_at - interval '11 minutes'"
            await one.execute(ten_minutes_later)
            async with listening(told):
                await asyncio.sleep(1.5)
                await record(one, "product:41")
                await one.execute(ten_minutes_later)
                await asyncio.sleep(1.5)
            async with listening(told, position) as listener:
                assert listener.first == "reset"

    asyncio.run(scenario())
    assert value(told.database, "SELECT array_agg(tags) FROM changes WHERE tags LIKE 'product:4_'") == ["product:41"]


def test_there_is_a_sign_of_life_four_times_a_second(told: Gateway) -> None:
    async def scenario() -> list[float]:
        async with listening(told) as listener:
            times = []
            for _ in range(8):
                await listener.line()
                times.append(time.monotonic())
        return [later - earlier for earlier, later in pairwise(times[1:])]

    gaps = asyncio.run(scenario())
    assert max(gaps) < 0.5
    assert sum(gaps) / len(gaps) > 0.2


def test_a_database_that_leaves_ends_the_stream(told: Gateway) -> None:
    async def scenario() -> None:
        async with connections(told, 1) as (one,), listening(told) as listener:
            await one.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'reviews-gateway changes' AND datname = current_database()"
            )
            # What was told before its end may still come.
            assert [line[0] async for line in listener.rest()] in (["at"] * n for n in range(3))

    asyncio.run(scenario())


def test_a_database_that_is_away_is_503(tmp_path: Path) -> None:
    away = Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/none"), state=tmp_path)
    with running_gateway(away) as lonely:
        answer = lonely.http.get("/internal/changes")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_mutation_says_what_it_changed_as_the_table_does(told: Gateway) -> None:
    run(told.database, "INSERT INTO products (product_id, name) VALUES (1, 'One')")
    sent = (
        'mutation { addReview(input: { productId: "1", rating: 5, summary: "Good", recommended: true,'
        ' body: "Long enough to be a review that is taken, word after word after word.", reviewerName: "n",'
        ' reviewerEmail: "n@example.com", characteristics: [], photos: ["https://photos.example/1.jpg"],'
        ' idempotencyKey: "once" }) { review { id } } }'
    )
    answer = told.http.post("/graphql", json={"query": sent})
    assert answer.json()["data"]["addReview"]["review"] is not None, answer.text
    xid, lsn, *tags = answer.headers["changed"].split()
    review = value(told.database, "SELECT review_id FROM reviews")
    recorded = value(told.database, "SELECT string_agg(tags, ' ') FROM changes WHERE xid::text = $1", xid)
    assert tags == ["product:1", f"review:{review}"]
    assert set(recorded.split()) == set(tags)
    assert value(told.database, "SELECT $1::text::pg_lsn <= pg_current_wal_flush_lsn()", lsn)

    again = told.http.post("/graphql", json={"query": sent})
    assert again.headers["changed"].split()[0::2] == ["0", "product:1"]
    assert set(again.headers["changed"].split()[2:]) == set(tags)


def test_mutations_of_one_request_are_told_together(told: Gateway) -> None:
    run(told.database, "INSERT INTO products (product_id, name) VALUES (2, 'Two')")
    run(
        told.database,
        "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,"
        " reviewer_email) SELECT 2, n, 5, now(), '', '', true, '', '' FROM generate_series(1, 2) AS n",
    )
    votes = 'a: markReviewHelpful(input: { reviewId: "1" }) { review { id } }'
    report = 'b: reportReview(input: { reviewId: "2" }) { deletedReviewId }'
    failing = 'c: markReviewHelpful(input: { reviewId: "77" }) { review { id } }'
    answer = told.http.post("/graphql", json={"query": f"mutation {{ {votes} {report} {failing} }}"})
    xids, _, *tags = answer.headers["changed"].split()
    assert len(xids.split(",")) == 2
    assert tags == ["product:2", "review:2"]


def test_a_mutation_that_changes_nothing_says_nothing(told: Gateway) -> None:
    answer = told.http.post(
        "/graphql", json={"query": 'mutation { markReviewHelpful(input: { reviewId: "78" }) { review { id } } }'}
    )
    assert "changed" not in answer.headers
