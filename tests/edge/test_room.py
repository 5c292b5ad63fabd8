"""What an edge refuses while its replicas are busy, and what it never does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.settings import Secret, Settings
from tests.edge.test_metrics import HASH
from tests.harness.edge import Fronted, running_edge
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked, waiting
from tests.harness.processes import serving, wait_for

GRAPHQL_JSON = "application/graphql-response+json"
NAME = {"query": "{ product(id: 1) { name } }"}

Edges = Callable[..., AbstractContextManager[Fronted]]


def cards(*numbers: int, blank: str = "") -> str:
    """The URL of the cards of these products, spelt with or without blanks."""
    return f"/graphql/p/{HASH}/ProductCards?variables=%7B%22ids%22:{blank}%5B{','.join(map(str, numbers))}%5D%7D"


@pytest.fixture
def patient(gateway: Gateway, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that gives its requests a minute."""
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path, request_timeout_ms=60_000)
    with running_gateway(settings) as running:
        yield running


@pytest.fixture
def edges(nginx: str, patient: Gateway, tmp_path: Path) -> Edges:
    """Runs an edge before it that lets so many requests be under way."""
    assert nginx

    @contextmanager
    def running(requests: int, **more: str) -> Iterator[Fronted]:
        with running_edge(patient, tmp_path, EDGE_REPLICA_REQUESTS=str(requests), **more) as fronted:
            yield fronted

    return running


def under_way(fronted: Fronted) -> int:
    (replica,) = fronted.status.get("/status").json()["replicas"]
    count: int = replica["requests"]
    return count


def shed(fronted: Fronted) -> float:
    return fronted.metrics().value("edge_requests_total", state="shed")


def is_refusal(answer: httpx.Response) -> bool:
    """Whether the edge itself has refused, in its form."""
    assert answer.status_code == 503, answer.text
    assert answer.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    told = {name: answer.headers[name] for name in ("retry-after", "cache-control", "x-cache")}
    return told == {"retry-after": "1", "cache-control": "no-store", "x-cache": "BYPASS"}


def test_beyond_its_limit_an_edge_refuses_what_it_does_not_have(edges: Edges, patient: Gateway) -> None:
    with edges(2) as fronted, ThreadPoolExecutor(8) as clients:

        def ask(path: str, **headers: str) -> httpx.Response:
            return httpx.get(f"http://{fronted.edge.listen}{path}", headers=headers, timeout=60)

        assert ask(cards(1)).headers["x-cache"] == "MISS"
        with locked(patient.database, "products"):
            asking = [clients.submit(ask, cards(number)) for number in (2, 3)]
            wait_for(lambda: under_way(fronted) == 2)

            assert is_refusal(ask(cards(4)))
            other = ask(cards(5), accept=GRAPHQL_JSON)
            assert is_refusal(other)
            assert other.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
            assert is_refusal(ask("/graphql?query=%7B__typename%7D"))
            assert shed(fronted) == 3
            # What is kept needs no replica, however it is spelt; nor does what is being asked for.
            assert ask(cards(1)).headers["x-cache"] == "HIT"
            assert ask(cards(1, blank="%20")).headers["x-cache"] == "HIT"
            asking += [clients.submit(ask, cards(2)) for _ in range(3)]
            # A body has a quarter more of the room.
            posting = clients.submit(fronted.http.post, "/graphql", json=NAME, timeout=60)
            wait_for(lambda: under_way(fronted) == 3)
            assert is_refusal(httpx.post(f"http://{fronted.edge.listen}/graphql", json=NAME))
            assert ask("/readyz").status_code == 200

        answers = [one.result() for one in asking]
        assert [answer.status_code for answer in answers] == [200] * 5
        assert posting.result().json() == {"data": {"product": {"name": "Camo Onesie"}}}
        wait_for(lambda: under_way(fronted) == 0)
        assert ask(cards(4)).status_code == 200
        assert shed(fronted) == 4


def test_a_page_of_another_origin_can_read_a_refusal(edges: Edges, patient: Gateway) -> None:
    with edges(1, EDGE_CORS_ORIGINS="https://shop.example") as fronted, ThreadPoolExecutor(1) as clients:

        def ask(number: int) -> httpx.Response:
            asked = f"http://{fronted.edge.listen}{cards(number)}"
            return httpx.get(asked, headers={"origin": "https://shop.example"}, timeout=60)

        with locked(patient.database, "products"):
            asking = clients.submit(ask, 1)
            wait_for(lambda: under_way(fronted) == 1)
            refusal = ask(2)
        assert is_refusal(refusal)
        for answer in (refusal, asking.result()):
            assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "retry-after" in refusal.headers["access-control-expose-headers"].lower()


def test_the_limit_is_that_of_all_workers_together(edges: Edges, patient: Gateway) -> None:
    with edges(4, EDGE_WORKERS="3") as fronted, ThreadPoolExecutor(4) as clients:

        def ask(number: int) -> httpx.Response:
            return httpx.get(f"http://{fronted.edge.listen}{cards(number)}", timeout=60)

        with locked(patient.database, "products"):
            asking = [clients.submit(ask, number) for number in range(1, 5)]
            wait_for(lambda: under_way(fronted) == 4)
            # Whichever worker takes the connection.
            assert [is_refusal(ask(number)) for number in range(11, 31)] == [True] * 20
        assert [one.result().status_code for one in asking] == [200] * 4


def test_a_replica_that_dies_leaves_nothing_under_way(nginx: str, gateway: Gateway, tmp_path: Path) -> None:
    assert nginx

    def ask(fronted: Fronted, **request: Any) -> int:
        return httpx.request(
            url=f"http://{fronted.edge.listen}{request.pop('path')}", timeout=60, **request
        ).status_code

    with serving(DATABASE_URL=gateway.database) as (running, address):
        dying = Gateway(address, gateway.database)
        with running_edge(dying, tmp_path) as fronted, ThreadPoolExecutor(4) as clients:
            with locked(gateway.database, "products"):
                requests = [
                    {"method": "GET", "path": cards(1)},
                    {"method": "GET", "path": "/graphql?query=%7Bproduct(id:1)%7Bname%7D%7D"},
                    {"method": "POST", "path": "/graphql", "json": NAME},
                ]
                asking = [clients.submit(ask, fronted, **request) for request in requests]
                wait_for(lambda: under_way(fronted) == 3)
                running.process.kill()
                assert [one.result() for one in asking] == [503] * 3
            wait_for(lambda: under_way(fronted) == 0)


def test_who_leaves_the_edge_ends_a_read_that_is_for_nobody_else(edges: Edges, patient: Gateway) -> None:
    text = "/graphql?query=%7Bproduct(id:1)%7Bname%7D%7D"
    with edges(64) as fronted, ThreadPoolExecutor(1) as clients:
        with locked(patient.database, "products"):
            leaving = [asked(fronted, path) for path in (text, cards(7), cards(7))]
            wait_for(lambda: waiting(patient.database) == 2)
            staying = clients.submit(httpx.get, f"http://{fronted.edge.listen}{cards(7)}", timeout=60)
            for connection in leaving:
                connection.close()
            # The cards are asked for on: others wait for them, and they are kept.
            wait_for(lambda: waiting(patient.database) == 1)
            wait_for(lambda: under_way(fronted) == 1)
        assert staying.result().status_code == 200


def asked(fronted: Fronted, path: str) -> socket.socket:
    """A connection over which ``path`` was asked for, and not answered yet."""
    host, port = fronted.edge.listen.split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\r\n".encode())
    return connection
