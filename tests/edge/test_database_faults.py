"""PostgreSQL that fails under load: what was acknowledged stays, a retry counts once, and errors are honest and quick.

``EDGE_FAULT_SECONDS`` is how long each fault lasts. ``make test-faults`` runs all of them and ends with their table.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from graphql_api.db.keeping import kept_up
from tests.edge.checking.faults import Outcome, all_well, under_load, until
from tests.edge.checking.load import Load
from tests.edge.checking.proxy import Proxy
from tests.edge.checking.said import write_line
from tests.edge.checking.server import Server
from tests.edge.conftest import PRODUCTS, Clusters
from tests.edge.test_faults import survived
from tests.edge.test_freshness import edge_of

pytestmark = pytest.mark.edge

LASTS_S = float(os.environ.get("EDGE_FAULT_SECONDS", "10"))
AROUND_S = 1.0
"""Seconds of load before and after the fault."""
RECOVERY_S = 5.0
"""Seconds from the fault's end within which all is well."""
PATIENCE_S = 60.0

Hurt = Callable[[Load], Awaitable[float]]
"""Does the fault and ends it. Returns when it was over."""


def hurt(
    name: str, own: Server, clusters: Clusters, table: list[Outcome], fault: Hurt, *, by: Proxy | None = None
) -> Outcome:
    """The outcome of ``fault`` under load, ``by`` a network before PostgreSQL; all promises kept."""
    slowest: list[float] = []

    async def done(load: Load) -> float:
        load.refusals_s.clear()
        over = await fault(load)
        slowest.extend(sorted(load.refusals_s))
        return await all_well(load, over, PATIENCE_S)

    async def run() -> Outcome:
        url = own.url
        if by is not None:
            url = f"postgresql://postgres@{await by.start()}/reviews"
        try:
            cluster = await asyncio.to_thread(clusters, url=url)
            edge = await asyncio.to_thread(edge_of, cluster)
            return await under_load(
                name, own.url, [edge.listen], done, most=PRODUCTS, seconds=AROUND_S, forgiving=True, retrying=True
            )
        finally:
            if by is not None:
                await by.stop()

    outcome = asyncio.run(run())
    table.append(outcome)
    write_line(f"\n{Outcome.HEAD}\n{outcome.line()}")
    if slowest:
        p99 = slowest[int(len(slowest) * 0.99) - 1]
        write_line(f"{len(slowest)} 503s: p99 {p99 * 1000:.0f} ms, slowest {slowest[-1] * 1000:.0f}")
    found = outcome.findings
    assert (found.stale, found.wrong, found.errors, found.unfinished) == (0, 0, 0, 0), found.told
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.recovery_s <= RECOVERY_S
    return outcome


async def longest_silence(load: Load, seconds: float) -> float:
    """The longest time within ``seconds`` in which no replica answered a read well."""
    until_, longest = time.monotonic() + seconds, 0.0
    while time.monotonic() < until_:
        await asyncio.sleep(0.05)
        longest = max(longest, time.monotonic() - load.read_at)
    return longest


def fill_up(file: Path) -> None:
    """Let ``file`` take all that its volume has left."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(size))


def test_postgresql_that_is_killed_loses_nothing(clusters: Clusters, own_server: Server, table: list[Outcome]) -> None:
    async def kill(_: Load) -> float:
        own_server.tell(signal.SIGKILL)
        await asyncio.sleep(LASTS_S)
        await asyncio.to_thread(own_server.start)
        return time.monotonic()

    outcome = hurt("PostgreSQL killed -9", own_server, clusters, table, kill)

    assert outcome.findings.codes["SERVICE_UNAVAILABLE"] > 0


@pytest.mark.faults
def test_postgresql_that_stands_still_is_not_waited_for(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    async def pause(_: Load) -> float:
        own_server.tell(signal.SIGSTOP)
        try:
            await asyncio.sleep(LASTS_S)
        finally:
            own_server.tell(signal.SIGCONT)
        return time.monotonic()

    hurt("PostgreSQL paused", own_server, clusters, table, pause)


def test_postgresql_without_connections_is_told_honestly(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    async def take(_: Load) -> float:
        taken: list[asyncpg.Connection] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                await own_server.take_connections(taken)
            await asyncio.sleep(LASTS_S)
        finally:
            for connection in taken:
                connection.terminate()
        return time.monotonic()

    outcome = hurt("PostgreSQL out of connections", own_server, clusters, table, take)

    assert outcome.findings.codes["SERVICE_UNAVAILABLE"] > 0


def test_postgresql_that_takes_no_writes_goes_on_reading(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    silences: list[float] = []

    async def close(load: Load) -> float:
        await own_server.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            silences.append(await longest_silence(load, LASTS_S))
        finally:
            await own_server.execute(
                "SET default_transaction_read_only = off",
                "ALTER SYSTEM RESET default_transaction_read_only",
                "SELECT pg_reload_conf()",
            )
        return time.monotonic()

    outcome = hurt("PostgreSQL read-only", own_server, clusters, table, close)

    assert silences[0] < 1
    assert outcome.findings.failed_writes > 0
    assert outcome.findings.codes.total() == outcome.findings.failed_writes


@pytest.mark.skipif(os.geteuid() != 0, reason="a volume is mounted")
def test_a_full_volume_of_the_data_refuses_writes_and_reads_go_on(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    silences: list[float] = []

    async def fill(load: Load, folder: Path) -> float:
        room = folder / "filler"
        fill_up(room)
        # Until the pages that the tables have ready are used up.
        await until(lambda: load.findings.failed_writes > 0, 30)
        silences.append(await longest_silence(load, LASTS_S / 2))
        # It fails where something that it writes out has no room: that is part of the fault.
        with contextlib.suppress(asyncpg.InternalServerError):
            await own_server.execute("CHECKPOINT")
        silences.append(await longest_silence(load, LASTS_S / 2))
        room.unlink()
        return time.monotonic()

    with own_server.data_apart(32) as folder:
        outcome = hurt("volume of the data full", own_server, clusters, table, lambda load: fill(load, folder))

    assert max(silences) < 1
    assert outcome.findings.codes == {"SERVICE_UNAVAILABLE": outcome.findings.failed_writes}


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="a volume is mounted")
def test_a_full_volume_of_the_log_ends_postgresql_and_room_brings_it_back(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    said: list[str] = []

    async def fill(folder: Path) -> float:
        room = folder / "filler"
        fill_up(room)
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            while True:  # until the segments that lie ready are used up
                await own_server.execute(
                    "SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1000000)), pg_switch_wal()"
                )
        await until(lambda: not own_server.is_there(), 30)
        await asyncio.sleep(LASTS_S)
        room.unlink()
        await until(own_server.accepts, PATIENCE_S)
        return time.monotonic()

    with own_server.wal_apart(64) as folder, kept_up(own_server.embedded, said.append):
        hurt("volume of the log full", own_server, clusters, table, lambda _: fill(folder))

    assert said[-1] == "PostgreSQL had ended and was started again."


@pytest.mark.faults
def test_a_network_that_loses_everything_is_not_waited_for(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    network = Proxy(own_server.socket)

    async def cut(_: Load) -> float:
        network.cut()
        await asyncio.sleep(LASTS_S)
        network.mend()
        return time.monotonic()

    hurt("network to PostgreSQL cut", own_server, clusters, table, cut, by=network)


@pytest.mark.faults
def test_a_slow_network_costs_time_and_nothing_else(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    network = Proxy(own_server.socket)

    async def slow(_: Load) -> float:
        network.delay_s = 0.05
        await asyncio.sleep(LASTS_S)
        network.delay_s = 0.0
        return time.monotonic()

    hurt("network to PostgreSQL slow, 50 ms", own_server, clusters, table, slow, by=network)


@pytest.mark.faults
def test_postgresql_that_restarts_is_told_honestly_and_at_once(
    clusters: Clusters, own_server: Server, table: list[Outcome]
) -> None:
    cluster = clusters(url=own_server.url)
    edge = edge_of(cluster)
    refusals: list[float] = []

    async def restart(load: Load) -> float:
        await asyncio.to_thread(own_server.stop)
        await asyncio.sleep(1)
        load.refusals_s.clear()
        await asyncio.sleep(1)
        refusals.extend(sorted(load.refusals_s))
        await asyncio.to_thread(own_server.start)
        accepting = time.monotonic()
        load.good_reads = []
        await until(lambda: bool(load.good_reads), 10)
        return time.monotonic() - accepting

    outcome = survived("PostgreSQL restarted", own_server.url, edge, table, restart, forgiving=True)
    p99 = refusals[int(len(refusals) * 0.99) - 1]
    write_line(f"refusals: p99 {p99 * 1000:.0f} ms, slowest {refusals[-1] * 1000:.0f}; {outcome.findings.statuses}")

    assert outcome.findings.statuses[503] > 0
    assert set(outcome.findings.codes) == {"SERVICE_UNAVAILABLE"}
    assert p99 <= 0.1
    assert outcome.recovery_s <= 1
