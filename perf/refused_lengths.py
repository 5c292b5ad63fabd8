"""What it costs a gateway to refuse what is too long: documents, variables and bodies, over a socket.

``perf/worst_documents.py`` prints it after its own table.
"""

from __future__ import annotations

import select
import socket
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson
import psutil

from perf.servers import Server, lonely_gateway

_KIB = 1024
_SECONDS = 2.0


class Sent(NamedTuple):
    """A body that is refused, and how it is sent: ``stubborn`` clients go on when they have been told."""

    name: str
    body: bytes
    chunked: bool = False
    stubborn: bool = False


class Cost(NamedTuple):
    """CPU of the gateway for each request, and what a client waits for the answer's first byte."""

    cpu_ms: float
    median_ms: float
    code: str


def _body(query: str, *, variables: object = None, size: int = 0) -> bytes:
    """A body of ``size`` bytes at the least; blanks after its JSON fill it up."""
    return orjson.dumps({"query": query, "variables": variables}).ljust(size)


def bodies() -> Iterator[Sent]:
    """What the limits of lengths are there for, each in the form that costs most."""
    for size in (33, 255):
        yield Sent(f"a document of {size} KiB, fields", _body("{ " + "name " * (size * _KIB // 5) + "}"))
    yield Sent("a document of 255 KiB, one token", _body("x" * 255 * _KIB))
    yield Sent("a document of 255 KiB, four bytes each sign", _body("\U0001f469" * (255 * _KIB // 4)))
    yield Sent("variables of 255 KiB, numbers", _body("{ x }", variables={"a": [1] * (127 * _KIB)}))
    yield Sent("variables of 255 KiB, objects", _body("{ x }", variables={"a": [{"a": []}] * 28_000}))
    over, far_over = _body("{ x }", size=257 * _KIB), _body("{ x }", size=10_000_000)
    yield Sent("a body of 257 KiB", over)
    yield Sent("a body of 257 KiB in a chunk", over, chunked=True)
    yield Sent("a body of 10 MB", far_over)
    yield Sent("a body of 10 MB in a chunk", far_over, chunked=True)
    yield Sent("a body of 10 MB, sent to its end", far_over, stubborn=True)


def measured(server: Server, sent: Sent) -> Cost:
    """Send it for two seconds, each time on a connection of its own."""
    process = psutil.Process(server.process)
    waits = []
    before = process.cpu_times()
    begun = time.perf_counter()
    while time.perf_counter() - begun < _SECONDS:
        wait_s, code = _asked(server, sent)
        waits.append(wait_s * 1000)
    after = process.cpu_times()
    cpu_ms = (after.user + after.system - before.user - before.system) * 1000
    return Cost(cpu_ms / len(waits), statistics.median(waits), code)


def _asked(server: Server, sent: Sent) -> tuple[float, str]:
    """Seconds until the answer begins, and its status and code."""
    address = urlsplit(server.address)
    framing = "Transfer-Encoding: chunked" if sent.chunked else f"Content-Length: {len(sent.body)}"
    head = f"POST /graphql HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n{framing}\r\n\r\n".encode()
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent.body), sent.body) if sent.chunked else sent.body
    rest = memoryview(head + body)
    got, answered = b"", 0.0
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.settimeout(0)
        begun = time.perf_counter()
        while not got.endswith(b"}") or (sent.stubborn and rest):
            readable, writable, _ = select.select([connection], [connection] if rest else [], [], 30)
            if readable:
                answered = answered or time.perf_counter() - begun
                got += connection.recv(65536)
                if not sent.stubborn:
                    rest = memoryview(b"")
            elif writable:
                rest = rest[connection.send(rest) :]
            else:
                raise TimeoutError("The gateway has not answered for 30 s.")
    top, _, told = got.partition(b"\r\n\r\n")
    (error,) = orjson.loads(told)["errors"]
    return answered, f"{top[9:12].decode()} {error['extensions']['code']}"


def tell() -> None:
    """Measure all, and print it in the order of what is sent."""
    print(f"{'CPU ms':>8}{'wait ms':>9}{'bytes':>12}   {'refused by its length':45}{'came to'}")
    with lonely_gateway() as server:
        for sent in bodies():
            cost = measured(server, sent)
            print(f"{cost.cpu_ms:8.2f}{cost.median_ms:9.2f}{len(sent.body):12,}   {sent.name:45}{cost.code}")
