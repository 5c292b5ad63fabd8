"""Read replicas of the database: embedded servers that really stream, and the gateway's reads from them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.db.standbys import lsn_of, named
from graphql_api.settings import Secret, Settings
from graphql_api.telemetry import MaskingFormatter
from tests.conftest import SAMPLE
from tests.harness.databases import run, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.processes import wait_for
from tests.harness.replication import Standby, replicated

Replicated = tuple[EmbeddedPostgres, list[Standby]]
NO_STANDBY = "is refused: it replays no primary's log; it was promoted, or never was a standby."
READING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reviews-gateway standby reads'"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    """A primary with the sample catalogue and two standbys."""
    with replicated(tmp_path_factory.mktemp("replicated"), 2) as (primary, standbys):
        migrate(primary.url, Settings())
        load_folder(primary.url, SAMPLE, Settings())
        caught_up(primary, standbys)
        yield primary, standbys


def lsn(primary: EmbeddedPostgres) -> str:
    """The place in the primary's log up to which everything is written."""
    return str(value(primary.url, "SELECT pg_current_wal_flush_lsn()::text"))


def caught_up(primary: EmbeddedPostgres, standbys: list[Standby]) -> None:
    place = lsn(primary)
    for one in standbys:
        wait_for(lambda one=one: value(one.url, f"SELECT pg_last_wal_replay_lsn() >= '{place}'"))


@contextmanager
def gateway_on(servers: Replicated, tmp_path: Path, *urls: str) -> Iterator[Gateway]:
    """A gateway on the primary, and on all standbys or those ``urls``; in use when it is given."""
    primary, standbys = servers
    of_standbys = tuple(Secret(one) for one in urls or [one.url for one in standbys])
    settings = Settings(database_url=Secret(primary.url), state=tmp_path, replica_urls=of_standbys)
    with running_gateway(settings) as gateway:
        if not urls:
            for one in standbys:
                wait_until_used(gateway, primary, one)
        yield gateway


def wait_until_used(gateway: Gateway, primary: EmbeddedPostgres, standby: Standby) -> None:
    def used() -> bool:
        name(gateway, after=lsn(primary))
        return bool(value(standby.url, READING) > 0)

    wait_for(used)


def name(gateway: Gateway, product: int = 1, after: str | None = None) -> Any:
    """What the gateway says is the product's name, read after that place in the log."""
    headers = {} if after is None else {"Reviews-After": after}
    query = {"query": "query ($id: ID!) { product(id: $id) { name } }", "variables": {"id": product}}
    response = gateway.http.post("/graphql", json=query, headers=headers)
    assert response.status_code == 200
    return response.json()["data"]["product"]["name"]


def rename(primary: EmbeddedPostgres, new: str, product: int = 1) -> None:
    run(primary.url, "UPDATE products SET name = $1 WHERE product_id = $2", new, product)


def test_a_standby_answers_what_it_has_replayed_and_the_primary_the_rest(servers: Replicated, tmp_path: Path) -> None:
    primary, standbys = servers
    with gateway_on(servers, tmp_path) as gateway:
        rename(primary, "before")
        before = lsn(primary)
        caught_up(primary, standbys)
        assert name(gateway, after=before) == "before"
        for one in standbys:
            one.pause()
        try:
            rename(primary, "after")
            after = lsn(primary)
            # Only a server that does not replay still says so: the header allows it.
            assert [name(gateway, after=before) for _ in range(4)] == ["before"] * 4
            assert [name(gateway, after=after) for _ in range(4)] == ["after"] * 4
            assert name(gateway) == "after"
            assert [name(gateway, after=bad) for bad in ("", "0", "0/", "0/G", "0 /1", "-1/0", "0/123456789")] == [
                "after"
            ] * 7
        finally:
            for one in standbys:
                one.resume()
        caught_up(primary, standbys)
        assert name(gateway, after=after) == "after"


def test_no_read_after_a_write_is_stale(servers: Replicated, tmp_path: Path) -> None:
    primary, standbys = servers

    async def check() -> list[tuple[str, str]]:
        """What three writers wrote, each to a product of its own, and what was read right after it."""
        found = []

        async def write_and_read(product: int, client: httpx.AsyncClient) -> None:
            connection = await asyncpg.connect(primary.url)
            for number in range(200):
                wrote = f"{product} {number}"
                await connection.execute("UPDATE products SET name = $1 WHERE product_id = $2", wrote, product)
                place = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
                query = {"query": f"{{ product(id: {product}) {{ name }} }}"}
                answer = await client.post("/graphql", json=query, headers={"Reviews-After": place})
                found.append((wrote, answer.json()["data"]["product"]["name"]))
            await connection.close()

        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            await asyncio.gather(*(write_and_read(product, client) for product in (1, 2, 3)))
        return found

    with gateway_on(servers, tmp_path) as gateway:
        began = [reads_of(one) for one in standbys]
        found = asyncio.run(check())
        wait_for(lambda: all(reads_of(one) > before for one, before in zip(standbys, began, strict=True)))
        shares = [reads_of(one) - before for one, before in zip(standbys, began, strict=True)]
    assert len(found) == 600
    assert [pair for pair in found if pair[0] != pair[1]] == []
    print(f"of 600 reads the standbys ran {shares}")  # noqa: T201 - shown with -s


def test_a_place_that_is_never_reached_spoils_nothing_for_others(servers: Replicated, tmp_path: Path) -> None:
    primary, standbys = servers
    with gateway_on(servers, tmp_path) as gateway:
        rename(primary, "before")
        before = lsn(primary)
        caught_up(primary, standbys)
        assert name(gateway, after="FFFFFFFF/FFFFFFFF") == "before"
        for one in standbys:
            one.pause()
        try:
            rename(primary, "after")
            time.sleep(1.1)
            assert name(gateway, after=before) == "before"
        finally:
            for one in standbys:
                one.resume()
        caught_up(primary, standbys)


def reads_of(standby: Standby) -> int:
    """How often products were looked at there."""
    return int(value(standby.url, "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'products'"))


def test_a_standby_that_is_killed_fails_no_request_and_is_used_again(
    servers: Replicated, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, standbys = servers
    place, failed, answered = lsn(primary), [], []
    rename(primary, "steady")
    caught_up(primary, standbys)

    def read(gateway: Gateway, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                answered.append(name(gateway, after=place))
            except Exception as error:  # noqa: BLE001 - counted
                failed.append(error)

    with caplog.at_level(logging.INFO, logger="reviews"), gateway_on(servers, tmp_path) as gateway:
        stop = threading.Event()
        readers = [threading.Thread(target=read, args=(gateway, stop)) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            for one in standbys:
                time.sleep(0.3)
                one.stop()
            time.sleep(1)
            assert gateway.http.get("/readyz").status_code == 200
            for one in standbys:
                one.start()
            for one in standbys:
                wait_until_used(gateway, primary, one)
        finally:
            stop.set()
            for reader in readers:
                reader.join()
    assert failed == []
    assert set(answered) == {"steady"}
    messages = [record.getMessage() for record in caplog.records]
    for one in standbys:
        assert [line for line in messages if line == f"The standby {named(one.url)} is in use again."] != []


SLOW_ON_STANDBYS = """
    ALTER TABLE products RENAME TO shelf;
    CREATE VIEW products AS SELECT shelf.* FROM shelf,
        (SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep({seconds}) END AS slept OFFSET 0) AS slow;
"""
END_READS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'reviews-gateway standby reads' AND state = 'active'
"""
AS_BEFORE = "DROP VIEW products; ALTER TABLE shelf RENAME TO products;"


@contextmanager
def slow_on_standbys(servers: Replicated, seconds: float) -> Iterator[str]:
    """Looking at products takes so long on every standby; gives the place in the log from which on it does."""
    primary, standbys = servers
    run(primary.url, SLOW_ON_STANDBYS.format(seconds=seconds))
    caught_up(primary, standbys)
    try:
        yield lsn(primary)
    finally:
        run(primary.url, AS_BEFORE)
        caught_up(primary, standbys)


async def asked_meanwhile(gateway: Gateway, place: str, *then: str) -> Any:
    """The answer to a read that a standby had begun when the statements ``then`` ran, each where it says."""
    query = {"query": "{ product(id: 1) { name } }"}
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
        asking = asyncio.create_task(client.post("/graphql", json=query, headers={"Reviews-After": place}))
        await asyncio.sleep(0.3)
        for url, sql in zip(then[::2], then[1::2], strict=True):
            connection = await asyncpg.connect(url)
            await connection.execute(sql)
            await connection.close()
        return (await asking).json()


def test_a_read_that_a_standby_breaks_off_is_answered_by_the_primary(servers: Replicated, tmp_path: Path) -> None:
    primary, standbys = servers
    rename(primary, "steady")
    with gateway_on(servers, tmp_path) as gateway, slow_on_standbys(servers, 0.8) as place:
        then = [text for one in standbys for text in (one.url, END_READS)]
        assert asyncio.run(asked_meanwhile(gateway, place, *then)) == {"data": {"product": {"name": "steady"}}}


def test_a_read_in_conflict_with_the_replay_is_answered_by_the_primary(
    servers: Replicated, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, standbys = servers
    rename(primary, "steady")
    for one in standbys:
        run(one.url, "ALTER SYSTEM SET max_standby_streaming_delay = 0")
        run(one.url, "SELECT pg_reload_conf()")
    with (
        caplog.at_level(logging.WARNING, logger="reviews"),
        gateway_on(servers, tmp_path) as gateway,
        slow_on_standbys(servers, 0.9) as place,
    ):
        lock = "BEGIN; LOCK TABLE shelf IN ACCESS EXCLUSIVE MODE; SELECT pg_current_xact_id(); COMMIT"
        answer = asyncio.run(asked_meanwhile(gateway, place, primary.url, lock))
    assert answer == {"data": {"product": {"name": "steady"}}}
    left_out = [record.getMessage() for record in caplog.records if "is left out" in record.getMessage()]
    assert [line.rpartition(": ")[2] for line in left_out] == ["SerializationError"]


def test_a_standby_that_takes_too_long_is_left_out(servers: Replicated, tmp_path: Path) -> None:
    primary, _ = servers
    rename(primary, "steady")
    with gateway_on(servers, tmp_path) as gateway, slow_on_standbys(servers, 5) as place:
        began = time.monotonic()
        assert [name(gateway, after=place) for _ in range(4)] == ["steady"] * 4
        # Each of the two was given its second.
        assert 2 <= time.monotonic() - began < 3


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "is refused" in record.getMessage()]


def test_what_is_no_standby_of_this_database_is_refused(
    servers: Replicated, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, standbys = servers
    other = standbys[0].server.url_of("postgres")
    with (
        caplog.at_level(logging.WARNING, logger="reviews"),
        gateway_on(servers, tmp_path, other, primary.url) as gateway,
    ):
        wait_for(lambda: len(refused(caplog)) == 2)
        rename(primary, "fresh")
        assert name(gateway, after=lsn(primary)) == "fresh"
        time.sleep(1)
    assert sorted(refused(caplog)) == sorted(
        [
            f"The standby {named(other)} is refused: it is of another database than DATABASE_URL.",
            f"The standby {named(primary.url)} {NO_STANDBY}",
        ]
    )


def test_a_standby_that_was_promoted_is_refused(
    servers: Replicated, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, standbys = servers
    promoted = standbys.pop()
    try:
        rename(primary, "shop's")
        caught_up(primary, [*standbys, promoted])
        with caplog.at_level(logging.WARNING, logger="reviews"), gateway_on(servers, tmp_path, promoted.url) as gateway:
            wait_until_used(gateway, primary, promoted)
            promoted.server._run("pg_ctl", "promote", "-D", str(promoted.server.data), "-w")
            run(promoted.url, "UPDATE products SET name = 'astray' WHERE product_id = 1")
            wait_for(lambda: refused(caplog))
            assert name(gateway, after="0/1") == "shop's"
        assert refused(caplog) == [f"The standby {named(promoted.url)} {NO_STANDBY}"]
    finally:
        promoted.stop()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"0/0", 0),
        (b"0/1A2B3C", 0x1A2B3C),
        (b"1/0", 1 << 32),
        (b"FFFFFFFF/ffffffff", (1 << 64) - 1),
        (b"", None),
        (b"0/123456789", None),
        (b"0/1, 0/2", None),
        (b"x/1", None),
    ],
)
def test_a_place_in_the_log_is_read_as_postgresql_writes_it(text: bytes, place: int | None) -> None:
    assert lsn_of(text) == place


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://shop:geheim@db2:5433/reviews?sslmode=require", "db2:5433/reviews"),
        ("postgresql://db2,db3/reviews", "db2,db3/reviews"),
        ("postgresql://postgres@/reviews?host=/run/postgresql&password=geheim", "/run/postgresql/reviews"),
    ],
)
def test_a_standby_is_named_without_who_logs_in(url: str, shown: str) -> None:
    assert named(url) == shown
    line = logging.LogRecord("reviews", logging.WARNING, "", 0, "The standby %s", (shown,), None)
    assert MaskingFormatter("%(message)s").format(line) == f"The standby {shown}"
