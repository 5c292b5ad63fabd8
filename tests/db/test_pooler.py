"""Reads and writes through Debian's PgBouncer in transaction mode, with fewer connections than the gateway asks for."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from graphql_api.db.engine import open_database
from graphql_api.processes import free_port
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked, waiting
from tests.harness.processes import wait_for
from tests.harness.shop import Shop
from tests.test_deadlines import ANSWER, begun

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
SERVER_CONNECTIONS = 2


@contextmanager
def running_pgbouncer(database: str, folder: Path) -> Iterator[str]:
    """The address of ``database`` through PgBouncer, for the time of the context."""
    assert PROGRAM, "install pgbouncer: .ci/run does"
    parts, query = urlsplit(database), parse_qs(urlsplit(database).query)
    host, server_port = query.get("host", [parts.hostname])[0], parts.port or query.get("port", ["5432"])[0]
    name, port = parts.path[1:], free_port()
    user = f"user={parts.username}" if parts.username else ""
    password = f"password={parts.password}" if parts.password else ""
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{name} = host={host} port={server_port} dbname={name} {user} {password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 100\n"
    )
    # As root it does not start; it reads one file, and whoever may reach PostgreSQL's socket is the owner of that.
    command = [PROGRAM, str(settings)]
    if os.geteuid() == 0:
        owner = pwd.getpwuid(Path(host).stat().st_uid).pw_name if host.startswith("/") else "nobody"
        folder.chmod(0o755)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and parent != Path("/") and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        command = ["runuser", "-u", owner, "--", *command]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.05)
        yield f"postgresql://{parts.username or 'postgres'}@127.0.0.1:{port}/{name}"
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def pooled(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on the same database, with PgBouncer between."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    with running_pgbouncer(gateway.database, folder) as url:
        settings = Settings(database_url=Secret(url), state=folder, pgbouncer=True, statement_timeout_ms=700)
        with running_gateway(settings) as running:
            yield running


def test_pages_are_read_by_many_at_once(gateway: Gateway, pooled: Gateway) -> None:
    expected = {number: gateway.data(DOCUMENTS["ProductPage"], id=number) for number in range(1, 11)}

    def page(turn: int) -> bool:
        number = 1 + turn % 10
        return pooled.data(DOCUMENTS["ProductPage"], id=number) == expected[number]

    with ThreadPoolExecutor(20) as threads:
        assert all(threads.map(page, range(200)))


def test_a_vote_is_written_and_read(pooled: Gateway, shop: Shop) -> None:
    vote = "mutation ($id: ID!) { markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } } }"
    review = shop.review(shop.product())
    counts = [pooled.data(vote, id=review)["markReviewHelpful"]["review"]["helpfulness"] for _ in range(10)]
    assert counts == list(range(1, 11))


def test_a_document_is_registered(pooled: Gateway) -> None:
    text = "query Pooled { product(id: 1) { name } }"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    assert "data" in pooled.http.post("/graphql", json={"query": text, "extensions": extensions}).json()
    assert "data" in pooled.http.post("/graphql", json={"extensions": extensions}).json()


def test_changes_are_told(pooled: Gateway, shop: Shop) -> None:
    with pooled.http.stream("GET", "/internal/changes", timeout=5) as stream:
        lines = stream.iter_lines()
        assert next(lines).split()[0] == "reset"
        product = shop.product().number
        told = next(
            line.split() for line in lines if line.startswith("change") and f"product:{product}" in line.split()
        )
    assert told[2:] == [f"product:{product}", "catalog"]


def test_a_read_of_a_client_who_leaves_is_ended_and_leaves_nothing_behind(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = {"query": "{ product(id: 1) { name } }"}
    folder = tmp_path_factory.mktemp("left")
    with running_pgbouncer(gateway.database, folder) as url:
        settings = Settings(database_url=Secret(url), state=folder, pgbouncer=True)
        with running_gateway(settings) as running:
            for _ in range(3):
                with locked(gateway.database, "products"):
                    connection = begun(running, name)
                    wait_for(lambda: waiting(gateway.database) == 1)
                    connection.close()
                    wait_for(lambda: waiting(gateway.database) == 0)
                assert [running.send(name["query"]) for _ in range(8)] == [ANSWER] * 8


async def settings_seen(url: str) -> tuple[str, str, str]:
    """Whether a read may write, and how long a read and a write may take, as PostgreSQL has it."""
    settings = Settings(database_url=Secret(url), pgbouncer=True, statement_timeout_ms=700)
    async with open_database(url, settings) as database:
        async with database.reads.acquire() as connection:
            read_only = await connection.fetchval("SELECT current_setting('transaction_read_only')")
            timeout = await connection.fetchval("SELECT current_setting('statement_timeout')")
        async with database.writes.begun() as connection:
            written = await connection.fetchval("SELECT current_setting('statement_timeout')")
    return read_only, timeout, written


def test_statements_are_bounded_in_time_and_reads_write_nothing(pooled: Gateway) -> None:
    assert asyncio.run(settings_seen(pooled.database)) == ("on", "700ms", "700ms")


def test_a_gateway_that_is_not_told_of_it_is_refused_at_once(pooled: Gateway) -> None:
    with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
        asyncio.run(connect_with_settings(pooled.database))


async def connect_with_settings(url: str) -> None:
    """What such a gateway does."""
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    await connection.close()
