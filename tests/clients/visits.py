"""What a client program saw: the operations it ran, and every request and answer that each of them led to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SECONDS = 60

Operation = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; header names are in lower case, ``parameters`` those of the URL or of the body."""

    method: str
    url: str
    sent_headers: dict[str, str]
    parameters: dict[str, Any]
    status: int
    headers: dict[str, str]
    answer: dict[str, Any]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The messages and codes of the answer's errors."""
        return [(error["message"], error["extensions"]["code"]) for error in self.answer.get("errors", [])]


@dataclass(frozen=True)
class Seen:
    """What one operation led to; ``data`` and ``error`` are what the client gave to its caller."""

    name: str
    exchanges: list[Exchange]
    data: dict[str, Any] | None
    error: str | None


Visit = dict[str, Seen]


class Clients:
    """Runs the client programs of this folder, each time in a process that remembers nothing."""

    def __init__(self, node: str) -> None:
        self._node = node

    def visit(self, program: str, url: str, operations: Sequence[Operation], *arguments: str) -> Visit:
        """What ``program`` saw when it ran ``operations``, one after the other, by their names."""
        seen = json.loads(self.run(program, url, *arguments, given=json.dumps(operations)))
        return {
            one["name"]: Seen(one["name"], [Exchange(**each) for each in one["exchanges"]], one["data"], one["error"])
            for one in seen
        }

    def run(self, program: str, *arguments: str, given: str = "") -> str:
        """What ``program`` prints. It must end well and have nothing to complain of."""
        done = subprocess.run(
            [self._node, str(FOLDER / program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout
