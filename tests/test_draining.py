"""How a replica leaves: processes of their own, real sockets, and requests all through it."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import httpx
import psutil
import pytest

from etl.load import load_folder
from graphql_api.settings import Settings
from tests.conftest import SAMPLE
from tests.harness.databases import Databases, value, waiting_for_lock
from tests.harness.processes import Running, serving, wait_for

QUERY = {"query": "{ product(id: 1) { name } }"}
PRODUCT = {"data": {"product": {"name": "Camo Onesie"}}}
CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^reviews-'"
)
CHECKING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'reviews-gateway checks'
"""


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """The address of a database with the sample catalogue."""
    made = databases.migrated()
    load_folder(made, SAMPLE, Settings())
    return made


@contextmanager
def replica(url: str, drain: str, *arguments: str) -> Iterator[tuple[Running, str]]:
    """``reviews serve`` with that drain, and its address; ended if the test did not."""
    with serving(*arguments, DATABASE_URL=url, REVIEWS_DRAIN_SECONDS=drain) as running:
        yield running


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def send_until(stop: threading.Event, address: str) -> list[httpx.Response]:
    """The answers to requests sent one after the other over connections that are kept where the answer allows it."""
    answers = []
    with httpx.Client(base_url=address, timeout=30) as client:
        while not stop.is_set():
            answers.append(client.post("/graphql", json=QUERY))
    return answers


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_request_is_lost_all_through_a_sigterm(url: str, workers: str) -> None:
    with (
        replica(url, "3", "--workers", workers) as (running, address),
        ThreadPoolExecutor(8) as clients,
        httpx.Client(base_url=address) as balancer,
    ):
        stop = threading.Event()
        sending = [clients.submit(send_until, stop, address) for _ in range(6)]
        time.sleep(0.5)
        told = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        readiness = [balancer.get("/readyz") for _ in range(8)]
        assert {(one.status_code, one.json()["reason"]) for one in readiness} == {(503, "draining")}
        assert balancer.get("/livez").status_code == 200
        time.sleep(told + 1.5 - time.monotonic())
        stop.set()
        answers = [answer for one in sending for answer in one.result()]
        socket.create_connection(("127.0.0.1", port_of(address))).close()
        assert running.wait() == 0
        assert time.monotonic() - told >= 3
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json() for answer in answers] == [PRODUCT] * len(answers)
    closing = [answer.headers.get("connection") == "close" for answer in answers]
    assert {True, False} == set(closing)
    assert value(url, CONNECTED) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(address)))
    assert [line for line in running.said if "Traceback" in line or "ERROR" in line] == []


def test_a_connection_is_kept_before_the_drain_and_closed_in_it(url: str) -> None:
    with replica(url, "5") as (running, address), httpx.Client(base_url=address) as client:
        assert "connection" not in client.post("/graphql", json=QUERY).headers
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert client.post("/graphql", json=QUERY).headers["connection"] == "close"


def test_a_request_under_way_outlives_the_drain(url: str) -> None:
    async def hold(address: str, running: Running) -> httpx.Response:
        holder = await asyncpg.connect(url)
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            try:
                await holder.execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
                asking = asyncio.create_task(client.post("/graphql", json=QUERY))
                await waiting_for_lock(url)
                running.process.send_signal(signal.SIGTERM)
                await asyncio.sleep(1)
                await holder.execute("COMMIT")
                return await asking
            finally:
                await holder.close()

    with replica(url, "0.2") as (running, address):
        answer = asyncio.run(hold(address, running))
        assert running.wait() == 0
    assert (answer.status_code, answer.json(), answer.headers["connection"]) == (200, PRODUCT, "close")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_signal_ends_the_drain(url: str, workers: str, second: signal.Signals) -> None:
    with replica(url, "600", "--workers", workers) as (running, address):
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert httpx.get(f"{address}/readyz").json()["reason"] == "draining"
        began = time.monotonic()
        assert running.end(second) == 0
        assert time.monotonic() - began < 5
    assert value(url, CONNECTED) == 0


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_terminals_way_to_stop_waits_for_no_drain(url: str, workers: str, first: signal.Signals) -> None:
    with replica(url, "600", "--workers", workers) as (running, _):
        began = time.monotonic()
        assert running.end(first) == 0
        assert time.monotonic() - began < 5
    assert value(url, CONNECTED) == 0


def test_a_worker_that_died_is_replaced_and_drains_as_the_others(url: str) -> None:
    with replica(url, "0.5", "--workers", "2") as (running, address):
        supervisor = psutil.Process(running.process.pid)
        died = next(one for one in supervisor.children() if "spawn_main" in " ".join(one.cmdline()))
        died.kill()
        wait_for(lambda: value(url, CHECKING) == 2 and not psutil.pid_exists(died.pid))
        assert httpx.post(f"{address}/graphql", json=QUERY).json() == PRODUCT
        began = time.monotonic()
        assert running.end(signal.SIGTERM) == 0
        assert time.monotonic() - began >= 0.5
    assert value(url, CONNECTED) == 0
