"""``reviews`` as a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 120


def environment(**given: str) -> dict[str, str]:
    """Ours without what the person who runs the tests has set for the gateway."""
    kept = {
        name: text for name, text in os.environ.items() if name != "DATABASE_URL" and not name.startswith("REVIEWS_")
    }
    return {**kept, **given}


class Running:
    """``reviews`` that is up. ``said`` are the lines it printed so far."""

    def __init__(self, *arguments: str, **given: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "graphql_api.cli", *arguments],
            cwd=ROOT,
            # All requests come from one address.
            env=environment(**{"REVIEWS_MUTATION_RATE": "0", "REVIEWS_DOCUMENT_RATE": "0", **given}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.said.append(line.rstrip("\n"))

    @property
    def url(self) -> str:
        """The address it printed."""
        (line,) = [line for line in self.said if line.startswith("GraphiQL: ")]
        found = re.fullmatch(r"GraphiQL: (http://127\.0\.0\.1:\d+)/graphql   \(Ctrl-C stops everything\)", line)
        assert found is not None, line
        return found[1]

    @property
    def curl(self) -> list[str]:
        """The command it printed, as a shell takes it."""
        (line,) = [line for line in self.said if line.startswith("curl ")]
        return shlex.split(line)

    def wait_until_serving(self) -> None:
        wait_for(lambda: any(line.startswith(("curl ", "Serving ")) for line in self.said) or self._ended())

    def _ended(self) -> bool:
        assert self.process.poll() is None, self.said
        return False

    def wait(self) -> int:
        """Its exit code."""
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def ask(self, query: str) -> dict[str, Any]:
        body: dict[str, Any] = httpx.post(f"{self.url}/graphql", json={"query": query}, timeout=30).json()
        return body


@contextmanager
def serving(*arguments: str, **given: str) -> Iterator[tuple[Running, str]]:
    """``reviews serve`` with these arguments and settings, and its address; ended if the test did not."""
    running = Running("serve", "--port", "0", *arguments, **given)
    try:
        running.wait_until_serving()
        yield (
            running,
            next(line for line in running.said if line.startswith("Serving "))
            .removeprefix("Serving ")
            .removesuffix("/graphql"),
        )
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGINT)


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
