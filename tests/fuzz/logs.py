"""What servers wrote into their logs of faults."""

from __future__ import annotations

import re
from pathlib import Path

from graphql_api.cluster import Cluster

_FAULT = re.compile(r"Traceback|unexpected error|Exception|\[(?:alert|crit|emerg)\]|lua .*error")


class Logs:
    """The logs of ``cluster`` from now on."""

    def __init__(self, cluster: Cluster) -> None:
        self._begin = {part.log: part.log.stat().st_size for part in (*cluster.replicas, *cluster.edges)}

    def faults(self) -> list[str]:
        """The lines that tell of a fault."""
        return [line for log, begin in self._begin.items() for line in _since(log, begin) if _FAULT.search(line)]


def _since(log: Path, begin: int) -> list[str]:
    with log.open("rb") as lines:
        lines.seek(begin)
        return lines.read().decode(errors="replace").splitlines()
