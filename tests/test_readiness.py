"""When a replica says that it is ready, and what it says until then."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from graphql_api.db.engine import REVISION
from graphql_api.db.migrate import migrate
from graphql_api.processes import free_port
from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.processes import Running, wait_for

NOT_MIGRATED = f"The database has no tables yet, and this build needs {REVISION}: run alembic upgrade head."
QUERY = {"query": "{ product(id: 1) { name } }"}
OPEN = """
    SELECT application_name, count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'reviews-%' GROUP BY 1 ORDER BY 1
"""


def answers(address: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return httpx.get(f"{address}/livez").status_code == 200
        except httpx.ConnectError:
            return False

    return ask


def test_a_replica_waits_for_the_migration_and_becomes_ready_by_itself(databases: Databases) -> None:
    url, port = databases.empty(), free_port()
    address = f"http://127.0.0.1:{port}"
    running = Running("serve", "--port", str(port), DATABASE_URL=url, REVIEWS_DRAIN_SECONDS="0")
    try:
        wait_for(answers(address))
        ready = httpx.get(f"{address}/readyz")
        assert (ready.status_code, ready.headers["retry-after"], ready.json()["reason"]) == (503, "1", NOT_MIGRATED)
        refused = httpx.post(f"{address}/graphql", json=QUERY)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        (error,) = refused.json()["errors"]
        assert (error["message"], error["extensions"]["code"]) == (
            "The gateway is not ready: ask again later.",
            "SERVICE_UNAVAILABLE",
        )
        time.sleep(1)  # it looks four times meanwhile, and says it once
        (line,) = running.said
        assert line.endswith(f"WARNING reviews: Not ready: {NOT_MIGRATED} It is waited for.")
        migrate(url, Settings())
        running.wait_until_serving()
        assert httpx.get(f"{address}/readyz").status_code == 200
        assert httpx.post(f"{address}/graphql", json=QUERY).json() == {"data": {"product": None}}
        # A look in the middle of the migration may have found an older revision, and says so.
        assert [line.endswith("INFO reviews: Ready.") for line in running.said].count(True) == 1
    finally:
        assert running.end(signal.SIGTERM) == 0


def test_a_replica_becomes_ready_by_itself_when_its_database_comes(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    name = value(url, "SELECT current_database()")
    admin = url.replace(f"/{name}", "/postgres")
    run(admin, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)) as gateway:
        refused = gateway.http.get("/readyz")
        assert (refused.status_code, refused.json()["reason"]) == (503, "The database does not answer.")
        run(admin, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        wait_for(lambda: gateway.http.get("/readyz").status_code == 200)
        assert gateway.data("{ product(id: 1) { name } }") == {"product": None}


def test_a_ready_replica_has_connections_open_and_statements_prepared(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    run(url, "INSERT INTO products (product_id, name) VALUES (1, 'Camo Onesie')")
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)):
        found = dict(map(tuple, rows(url, OPEN)))
    assert found["reviews-gateway checks"] == 1
    assert found["reviews-gateway reads"] >= 1


@pytest.fixture
def full(databases: Databases, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(
        Settings(database_url=Secret(databases.migrated()), state=tmp_path, read_connections=1)
    ) as gateway:
        yield gateway


def test_a_full_pool_makes_nobody_unready(full: Gateway) -> None:
    async def ask() -> tuple[int, float]:
        async with httpx.AsyncClient(base_url=full.url, timeout=30) as client:
            holding = asyncio.create_task(client.post("/graphql", json=QUERY))
            await asyncio.sleep(1)  # nothing that was remembered is left
            began = time.monotonic()
            answer = await client.get("/readyz")
            took = time.monotonic() - began
            assert not holding.done()
            holding.cancel()
        return answer.status_code, took

    slow = """
        BEGIN; ALTER TABLE products RENAME TO shelf;
        CREATE VIEW products AS SELECT shelf.* FROM shelf, pg_sleep(3) AS slept OFFSET 0; COMMIT
    """
    run(full.database, "INSERT INTO products (product_id, name) VALUES (1, 'Camo Onesie')")
    run(full.database, slow)
    status, took = asyncio.run(ask())
    assert status == 200
    assert took < 0.5


def test_a_good_look_is_remembered_and_a_bad_one_is_not(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    with running_gateway(Settings(database_url=Secret(url), state=tmp_path)) as gateway:
        assert gateway.http.get("/readyz").status_code == 200
        run(url, "UPDATE alembic_version SET version_num = '0001'")
        time.sleep(0.6)
        late = gateway.http.get("/readyz")
        assert (late.status_code, late.json()["reason"]) == (
            503,
            f"The database is at revision 0001, and this build needs {REVISION}: run alembic upgrade head.",
        )
        run(url, f"UPDATE alembic_version SET version_num = '{REVISION}'")
        assert gateway.http.get("/readyz").status_code == 200
        # Within half a second the table is not looked at.
        run(url, "UPDATE alembic_version SET version_num = '0001'")
        assert gateway.http.get("/readyz").status_code == 200
