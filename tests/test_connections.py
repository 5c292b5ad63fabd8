"""Connections that are held, opened in numbers, or fed without an end: on a replica of its own, over real sockets."""

from __future__ import annotations

import gc
import hashlib
import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import orjson
import pytest

from graphql_api import connections
from graphql_api.serving import listening_socket
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked
from tests.harness.processes import wait_for
from tests.harness.shop import OwnProduct, Shop

MOST = 20
HEAD = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"


@pytest.fixture
def small(gateway: Gateway, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that takes 20 connections."""
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path, max_connections=MOST)
    with running_gateway(settings) as running:
        yield running


def address(gateway: Gateway) -> tuple[str, int]:
    host, port = gateway.url.removeprefix("http://").split(":")
    return host, int(port)


def connected(gateway: Gateway) -> socket.socket:
    return socket.create_connection(address(gateway), timeout=30)


def until_closed(connection: socket.socket) -> bytes:
    """What comes over it until the other side closes it."""
    said = b""
    while part := connection.recv(65_536):
        said += part
    return said


def refusal(said: bytes) -> tuple[int, str]:
    """The status, and the code of the one error."""
    head, _, body = said.partition(b"\r\n\r\n")
    (error,) = orjson.loads(body)["errors"]
    return int(head.split()[1]), error["extensions"]["code"]


def alive(gateway: Gateway) -> bool:
    try:
        return httpx.get(f"{gateway.url}/livez").status_code == 200
    except httpx.HTTPError:
        return False


def test_beyond_its_limit_a_replica_refuses_connections_until_others_end(small: Gateway) -> None:
    with ExitStack() as held:
        for _ in range(MOST):
            held.enter_context(connected(small))
        wait_for(lambda: not alive(small))
        for sent in (b"", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"):
            with connected(small) as connection:
                connection.sendall(sent)
                said = until_closed(connection)
                assert refusal(said) == (503, "OVERLOADED")
                assert b"\r\nretry-after: 1\r\n" in said
    wait_for(lambda: alive(small))


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHos", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /li"])
def test_who_sends_no_whole_head_is_not_waited_for(
    small: Gateway, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_LOOKS", 1)
    with connected(small) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        with suppress(ConnectionResetError):
            until_closed(connection)
        # Two looks; uvicorn's own 5 s begin with an answer, and end with the first byte after it.
        assert time.monotonic() - began < 20


def test_one_that_is_fed_slowly_and_wholly_is_answered(small: Gateway) -> None:
    with connected(small) as connection:
        for part in (b"GET /livez HT", b"TP/1.1\r\nHost: a\r\n", b"Connection: close\r\n\r\n"):
            connection.sendall(part)
            time.sleep(0.5)
        assert until_closed(connection).endswith(b"alive\n")


@pytest.mark.parametrize(
    "line", [b"X-Part: " + b"a" * 1000 + b"\r\n", b"X-Whole: " + b"a" * 1_000_000, b"Cookie: a=b\r\n" * 1000]
)
def test_a_head_without_an_end_is_refused(small: Gateway, line: bytes) -> None:
    with connected(small) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        sent = 0
        try:
            while sent < 8_000_000:
                sent += connection.send(line)
        except OSError:
            pass
        else:
            assert refusal(until_closed(connection)) == (431, "BAD_REQUEST")
    assert alive(small)


def test_a_long_head_that_ends_is_answered_and_a_longer_one_is_told_why_not(small: Gateway) -> None:
    with connected(small) as connection:
        head = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"
        connection.sendall(head)
        assert until_closed(connection).endswith(b"alive\n")
    with connected(small) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * connections.MOST_HEAD_BYTES)
        assert refusal(until_closed(connection)) == (431, "BAD_REQUEST")


def test_a_client_that_does_not_take_its_answer_is_let_go(
    small: Gateway, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNSENT_LOOKS", 1)
    product = shop.product()
    shop.reviews(product, [{"body": "a" * 1000}] * 100)
    # Nine megabytes: more than the system takes for a client that reads nothing.
    query = f"{{ products(ids: {[product.number] * 95}) {{ reviews(first: 100) {{ nodes {{ body }} }} }} }}"
    body = orjson.dumps({"query": query})
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(address(small))
        connection.sendall(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body))
        watched = select.poll()
        watched.register(connection, select.POLLRDHUP)
        # Reset, and so noticed though nothing was read. uvicorn's own end would wait until all is sent.
        wait_for(lambda: any(events & select.POLLERR for _, events in watched.poll(0)))
    assert alive(small)


def test_requests_that_are_sent_before_others_are_answered_have_an_end(small: Gateway, gateway: Gateway) -> None:
    body = orjson.dumps({"query": "{ product(id: 1) { name } }"})
    request = b"%s\r\nContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body)
    with connected(small) as connection:
        connection.sendall(request * 8)
        answered = b""
        while answered.count(b"Camo Onesie") < 8:
            answered += connection.recv(65_536)
    with locked(gateway.database, "products"), connected(small) as connection, pytest.raises(ConnectionError):
        connection.sendall(request * 100_000)
    assert alive(small)


def test_one_that_asks_for_nothing_more_is_closed_in_good_order(
    small: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_LOOKS", 1)  # a real look, only sooner
    with connected(small) as connection:
        for _ in range(2):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65_536).endswith(b"alive\n")
        # Not reset, which a client could take for a fault.
        assert until_closed(connection) == b""


def read(target: bytes, *headers: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    return b"\r\n".join([b"%s %s HTTP/%s" % (method, target, version), b"Host: a", *headers, b"", b""])


def page(product: OwnProduct) -> bytes:
    """Where the product's persisted page is."""
    sha256 = hashlib.sha256(DOCUMENTS["ProductPage"].encode()).hexdigest()
    return b"/graphql/p/%s/ProductPage?variables=%%7B%%22id%%22:%d%%7D" % (sha256.encode(), product.number)


def parted(said: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and body."""
    head, _, body = said.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines)
    assert len(headers) == len(lines)
    return status, headers, body


def test_an_answer_that_is_kept_has_the_form_that_its_request_allows(small: Gateway, shop: Shop) -> None:
    target, answers = page(shop.product()), {}
    for name, request in {
        "closed": read(target, b"Connection: close"),
        "old": read(target, version=b"1.0"),
        "head": read(target, b"Connection: close", method=b"HEAD"),
    }.items():
        with connected(small) as connection:
            connection.sendall(request)
            answers[name] = parted(until_closed(connection))
    status, headers, body = answers["closed"]
    assert status == b"HTTP/1.1 200 OK"
    assert orjson.loads(body)["data"]["product"]
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"connection"] == b"close"
    assert {b"date", b"content-type", b"etag", b"cache-control", b"cache-tag", b"x-request-id"} <= headers.keys()
    changing = {b"x-request-id", b"date"}
    for name, shown in (("old", body), ("head", b"")):
        other_status, other, other_body = answers[name]
        assert (other_status, other_body) == (status, shown)
        assert {key: other[key] for key in other.keys() - changing} == {
            key: headers[key] for key in headers.keys() - changing
        }
    with connected(small) as connection:
        connection.sendall(read(target, b"Connection: close", b"If-None-Match: " + headers[b"etag"]))
        status, same, body = parted(until_closed(connection))
    assert (status, body) == (b"HTTP/1.1 304 Not Modified", b"")
    assert same[b"etag"] == headers[b"etag"]
    assert b"content-length" not in same


def test_answers_of_both_kinds_come_in_the_order_of_their_requests(small: Gateway, shop: Shop) -> None:
    target = page(shop.product(name="Two of a kind"))
    with connected(small) as connection:
        connection.sendall(read(target) + read(b"/livez") + read(target) + read(b"/livez", b"Connection: close"))
        said = until_closed(connection)
    kinds = re.findall(rb"content-type: ([a-z/]+)", said)
    assert kinds == [b"application/json", b"text/plain"] * 2
    assert said.count(b"Two of a kind") == 2
    assert said.endswith(b"alive\n")


def test_neither_answers_nor_connections_leave_what_only_a_search_for_garbage_finds(small: Gateway, shop: Shop) -> None:
    request = read(page(shop.product()))

    def ask(times: int) -> None:
        with connected(small) as connection:
            for _ in range(times):
                connection.sendall(request)
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")

    ask(10)
    gc.collect()
    gc.disable()
    try:
        ask(300)
        assert gc.collect() < 300
        for _ in range(100):
            ask(1)
        wait_for(lambda: alive(small))  # and so the last one's end is noticed
        assert gc.collect() < 500
    finally:
        gc.enable()


def test_the_system_looks_after_connections_whose_clients_are_silent() -> None:
    with listening_socket("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        taken, _ = listening.accept()
        with taken:
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
