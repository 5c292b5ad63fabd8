"""The processes of a cluster: replicas of the gateway and edges before them, each with an address of its own."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from graphql_api.errors import OperatorError

NGINX = Path(__file__).parents[1] / "nginx" / "run.sh"
_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.05
_LIBC = ctypes.CDLL(None)
_PORTS = range(20_000, 32_768)
_given: set[int] = set()


class Child:
    """A process of ours. It leaves with this one, however this one ends. ``log`` takes what it writes."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = command
        self.environment = dict(environment)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Of its own group: Ctrl-C on the terminal is ours to pass on, in order.
                process_group=0,
                preexec_fn=_leave_with_parent,  # noqa: PLW1509 - one call into the C library, which takes no lock
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it has started and not ended."""
        return self._process is not None and self._process.poll() is None

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.is_running():
            os.kill(self.pid, number)

    def ended(self, patience_s: float) -> int:
        """Its exit code, waited for; it is killed after ``patience_s``."""
        assert self._process is not None
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM, patience_s: float = 20) -> int:
        """Tell it to end, and wait for it. Returns its exit code."""
        self.tell(number)
        return self.ended(patience_s)


class Replica(Child):
    """One gateway process. ``environment`` holds its settings."""

    def __init__(self, number: int, port: int, environment: Mapping[str, str], folder: Path) -> None:
        self.address = f"127.0.0.1:{port}"
        settings = {"REVIEWS_HOST": "127.0.0.1", "REVIEWS_PORT": str(port), "REVIEWS_WORKERS": "1"}
        command = [sys.executable, "-m", "graphql_api.cli", "serve"]
        name = f"replica {number}"
        super().__init__(name, command, {**environment, **settings}, folder / f"replica-{number}.log")

    def wait_until_ready(self, patience_s: float = 60) -> None:
        """Return once it answers requests. Raises ``OperatorError`` when it ends before."""
        _wait(self, f"http://{self.address}/readyz", patience_s)


class Edge(Child):
    """nginx before ``replicas``. ``listen`` and ``status`` are address and port; ``more`` are EDGE_ settings."""

    def __init__(
        self, number: int, listen: str, status: str, replicas: list[str], folder: Path, more: Mapping[str, str]
    ) -> None:
        self.listen = listen
        self.status = status
        command = ["/bin/sh", str(NGINX), str(folder / f"edge-{number}")]
        environment = _edge_environment(listen, status, replicas, more)
        super().__init__(f"edge {number}", command, environment, folder / f"edge-{number}.log")

    def wait_until_ready(self, patience_s: float = 30) -> None:
        """Return once a replica can be reached through it. Raises ``OperatorError`` when it ends before."""
        _wait(self, f"http://{self.status}/readyz", patience_s)


def check_edge(listen: str, status: str, more: Mapping[str, str]) -> None:
    """Let nginx look at what an edge would run with. Raises ``OperatorError`` with its reason: no nginx, no Lua."""
    with tempfile.TemporaryDirectory(prefix="edge-") as place:
        done = subprocess.run(  # noqa: S603 - our own command
            ["/bin/sh", str(NGINX), "--check", place],
            env=_edge_environment(listen, status, ["127.0.0.1:1"], more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode != 0:
        said = done.stdout.strip().splitlines()
        reasons = [line for line in said if line.startswith("edge: ") or "[emerg]" in line]
        raise OperatorError(f"The edge cannot be started: {(reasons or said or ['it says nothing'])[0]}")


def _edge_environment(listen: str, status: str, replicas: list[str], more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
    upstream = ",".join(replicas)
    return {**kept, "EDGE_LISTEN": listen, "EDGE_STATUS": status, "EDGE_UPSTREAM": upstream, **more}


def free_port() -> int:
    """A port of this machine that nobody listens on now, never the same twice from one process.

    It lies below those that the system gives to connections (from 32,768, ip(7)): one of those may be taken as the end
    of a connection before whoever asked has begun to listen. Raises ``OperatorError`` where a thousand are taken.
    """
    for port in random.sample(_PORTS, 1000):
        if port in _given:
            continue
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise OperatorError(f"No port from {_PORTS.start} to {_PORTS.stop - 1} is free: name one.")


def _leave_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(child: Child, url: str, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not child.is_running():
            raise OperatorError(f"The {child.name} did not start: {_last_words(child.log)}")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_SECONDS)
    raise OperatorError(f"The {child.name} was not ready within {patience_s:g} s; {child.log} says more.")


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"{log} says nothing."
