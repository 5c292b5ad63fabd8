"""Connections at the edge that are held, slow, or fed without an end."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from perf.overload.idle import holding
from tests.edge.test_metrics import PAGE
from tests.harness.edge import Fronted, running_edge
from tests.harness.gateway import Gateway
from tests.harness.processes import wait_for

pytestmark = pytest.mark.edge

IDLE = 10_000
POST = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@pytest.fixture
def fronted(nginx: str, gateway: Gateway, tmp_path: Path) -> Iterator[Fronted]:
    assert nginx
    with running_edge(gateway, tmp_path, EDGE_POST_RATE="1000000") as running:
        yield running


def connected(fronted: Fronted) -> socket.socket:
    host, port = fronted.edge.listen.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def memory(fronted: Fronted) -> int:
    """Bytes that the edge's processes have for themselves."""
    master = psutil.Process(fronted.edge.pid)
    return sum(process.memory_full_info().uss for process in (master, *master.children()))


def answer(connection: socket.socket) -> tuple[int, str]:
    """The status of what comes until the connection is closed, and the code of its one error."""
    said = b""
    while part := connection.recv(65_536):
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    (error,) = orjson.loads(body)["errors"]
    return int(head.split()[1]), error["extensions"]["code"]


def test_ten_thousand_idle_connections_take_less_than_64_mib_and_stop_nobody(fronted: Fronted) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > IDLE, "more files are needed: ulimit -n"
    assert fronted.http.get(PAGE).status_code == 200
    before = memory(fronted)

    async def held() -> tuple[int, int]:
        async with holding(fronted.edge.listen, PAGE, IDLE) as connections:
            taken = memory(fronted) - before
            assert (await asyncio.to_thread(httpx.get, f"http://{fronted.edge.listen}{PAGE}")).status_code == 200
            return taken, sum(not one.is_closing() for one in connections)

    taken, still_open = asyncio.run(held())
    assert still_open == IDLE
    assert taken < 64 * 2**20
    assert fronted.http.get(PAGE).status_code == 200


def test_workers_come_before_the_replicas_of_the_same_machine(fronted: Fronted) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may raise a priority")
    assert {worker.nice() for worker in psutil.Process(fronted.edge.pid).children()} == {-10}


def test_slow_bodies_of_one_address_have_an_end_and_leave_reads_alone(fronted: Fronted) -> None:
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(connected(fronted)).sendall(POST)

        def refused() -> bool:
            return (
                httpx.post(f"http://{fronted.edge.listen}/graphql", json={"query": "{__typename}"}).status_code == 429
            )

        wait_for(refused)
        assert fronted.http.get(PAGE).status_code == 200
    wait_for(lambda: not refused())


def test_a_slow_head_and_a_slow_body_are_not_waited_for(fronted: Fronted) -> None:
    with connected(fronted) as head, connected(fronted) as body:
        began = time.monotonic()
        head.sendall(b"GET /graphql HTTP/1.1\r\nHos")
        body.sendall(POST)
        for connection in (head, body):
            try:
                while connection.recv(65_536):
                    pass
            except ConnectionResetError:
                pass
        assert time.monotonic() - began < 25


def test_a_large_header_is_refused_in_our_form(fronted: Fronted) -> None:
    with connected(fronted) as connection:
        connection.sendall(b"GET /graphql HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000)
        assert answer(connection) == (431, "BAD_REQUEST")
    assert fronted.http.get(PAGE).status_code == 200
