"""What is asked for, and one run of the generator for it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from graphql_api.errors import OperatorError
from perf.load import hash_of
from perf.servers import document

OK, REFUSED = 200, 503
_CONNECTIONS = 512
"""Of either stream: so many that a request that is due finds one, also while others wait."""


@dataclass(frozen=True)
class Wanted:
    """A document of the front end or of ``perf/documents``, with the numbers of ``ids`` products in ``variable``."""

    title: str
    name: str
    variable: str
    ids: int


CARDS = Wanted("100 product cards", "ProductCards", "ids", 100)
LIGHT = Wanted("the page of 75 values", "LightPage", "id", 1)


@dataclass(frozen=True)
class Seen:
    """What came of requests: due in seconds since the run began, how long each took in ms, its status (0: none)."""

    requests: list[tuple[float, float, int]]
    refusals: int
    cores: float

    def between(self, begin: float, end: float) -> list[tuple[float, float, int]]:
        """The requests that were due then."""
        return [one for one in self.requests if begin <= one[0] < end]

    def answered(self, begin: float, end: float) -> float:
        """Answers with 200 a second that came in that time."""
        return sum(status == OK and begin <= due + took / 1000 < end for due, took, status in self.requests) / (
            end - begin
        )


def run(wanted: Wanted, address: str, refusing: str, highest: int, seed: int, phases: list[dict[str, float]]) -> Seen:
    """Let the generator run ``phases`` against ``address``. Raises ``OperatorError`` where it fails."""
    path = f"/graphql/p/{hash_of(document(wanted.name))}/{wanted.name}?variables="
    opened, closed = ("%5B", "%5D") if wanted.ids > 1 else ("", "")
    head = f" HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\r\n"
    plan = {
        "address": address,
        "refusing": refusing,
        "refusal": f"GET / HTTP/1.1\r\nHost: {refusing}\r\n\r\n",
        "connections": _CONNECTIONS,
        "highest": highest,
        "ids": wanted.ids,
        "seed": seed,
        "before": f"GET {path}{quote('{')}{quote(json.dumps(wanted.variable))}:{opened}",
        # A variable that the document does not know, so that nobody has the answer.
        "between": f"{closed}%2C%22asked%22:%22{seed}-",
        "after": f"%22%7D{head}",
        "phases": phases,
    }
    with TemporaryDirectory(prefix="overload-") as place:
        seen = Path(place, "seen.json")
        done = subprocess.run(
            [sys.executable, "-m", "perf.overload.stream", str(seen)],
            input=json.dumps(plan),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise OperatorError(f"The generator failed: {done.stderr.strip()}")
        told: dict[str, Any] = json.loads(seen.read_text())
    if told["lost"]:
        raise OperatorError(f"{told['lost']} requests were never answered.")
    return Seen([tuple(one) for one in told["seen"]], told["refusals"], told["cores"])
