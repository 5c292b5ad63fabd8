"""What asks: wrk for many requests at a time, a bare socket for one, pgbench for PostgreSQL alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

MARK = "@@"
"""Where the products' numbers go."""
SEPARATOR = quote('","')
"""What stands between them."""
_SCRIPT = Path(__file__).with_name("ask.lua")


@dataclass(frozen=True)
class Asking:
    """How a server is asked: the path of a GET that has a ``MARK`` for the numbers of ``ids`` products."""

    path: str
    ids: int = 1

    def request(self, *numbers: int) -> bytes:
        """The bytes to send for these products."""
        path = self.path.replace(MARK, SEPARATOR.join(map(str, numbers)))
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def hash_of(document: str) -> str:
    """The name under which ``document`` is persisted."""
    return hashlib.sha256(document.encode()).hexdigest()


def persisted(document: str, variables: dict[str, object], ids: int = 1) -> Asking:
    """A GET of a document that the server knows."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(document)}}
    return Asking(f"/graphql?extensions={_encoded(extensions)}&variables={_encoded(variables)}", ids)


def spelt_out(document: str, variables: dict[str, object], ids: int = 1) -> Asking:
    """A GET of a document's text."""
    return Asking(f"/graphql?query={quote(document, safe='')}&variables={_encoded(variables)}", ids)


def _encoded(value: object) -> str:
    return quote(json.dumps(value, separators=(",", ":")), safe="@")


class Client:
    """One connection that is kept. What it adds to a request's time is some 50 µs."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> tuple[float, bytes]:
        """The milliseconds until the whole answer was there, and its body."""
        begun = time.perf_counter()
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None, head
        while len(body) < int(length[1]):
            body += self._more()
        return (time.perf_counter() - begun) * 1000, body

    def data(self, request: bytes) -> dict[str, Any]:
        """The data of an answer. Ends the program where there are errors."""
        body = json.loads(self.ask(request)[1])
        if "errors" in body or "data" not in body:
            sys.exit(f"The answer has errors: {json.dumps(body)[:500]}")
        data: dict[str, Any] = body["data"]
        return data

    def _more(self) -> bytes:
        part = self._socket.recv(1 << 16)
        if not part:
            sys.exit("The server closed the connection.")
        return part


class Load(NamedTuple):
    """What wrk saw."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float


def wrk(address: str, asking: Asking, *, connections: int, seconds: float, highest: int, seed: int) -> Load:
    """Ask for random products of 1 to ``highest`` over so many connections."""
    arguments = [asking.path, MARK, SEPARATOR, asking.ids, highest, seed]
    return wrk_script(address, _SCRIPT, arguments, connections=connections, seconds=seconds)


def wrk_script(address: str, script: Path, arguments: Sequence[object], *, connections: int, seconds: float) -> Load:
    """What a script asks for that ends with a line of what it saw. Ends the program where anything failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(script), address]
    done = subprocess.run(
        [*command, "--", *map(str, arguments)], check=False, capture_output=True, text=True, timeout=seconds + 60
    )
    if done.returncode:
        sys.exit(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    seen = json.loads(done.stdout.splitlines()[-1])
    if seen["failed"]:
        sys.exit(f"{seen['failed']} of {seen['requests']} requests to {address} failed. {done.stderr.strip()}".strip())
    return Load(seen["requests"], seen["requests"] / seen["seconds"], seen["median_ms"], seen["p99_ms"])


def pgbench(
    socket_folder: Path, database: str, statements: Sequence[str], *, clients: int, seconds: float, highest: int
) -> float:
    """Pages a second: each runs all ``statements``, in which ``:id`` is a random product."""
    with TemporaryDirectory() as folder:
        script = Path(folder) / "page.sql"
        script.write_text("\n".join([f"\\set id random(1, {highest})", *(f"{text};" for text in statements), ""]))
        return pgbench_script(socket_folder, database, script, clients=clients, seconds=seconds)


def pgbench_script(socket_folder: Path, database: str, script: Path, *, clients: int, seconds: float) -> float:
    """How often a second pgbench runs ``script``. Ends the program where it fails."""
    options = ["-n", "-M", "prepared", f"-c{clients}", "-j2", f"-T{seconds:.0f}", "-f", str(script)]
    server = ["-h", str(socket_folder), "-U", "postgres", database]
    done = subprocess.run(
        [_pgbench(), *options, *server], check=False, capture_output=True, text=True, timeout=seconds + 60
    )
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or rate is None:
        sys.exit(f"pgbench failed: {done.stderr.strip()}")
    return float(rate[1])


def _pgbench() -> str:
    found = [str(place) for place in sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))]
    return found[-1] if found else "pgbench"


def check_tools() -> None:
    """End the program with a sentence where a tool is missing."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: install it (Debian: apt-get install wrk).")
    if shutil.which(_pgbench()) is None:
        sys.exit("pgbench is missing: install it (Debian: apt-get install postgresql-contrib).")
