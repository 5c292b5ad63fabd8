"""What is measured: PostgreSQL, replicas that are added one by one, and two edges before all of them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from graphql_api.processes import Edge, Replica, free_port
from perf.catalogue import Catalogue
from perf.ladder.parts import EDGE, POSTGRES, REPLICAS, Part
from perf.ladder.quotas import Group, Quotas
from perf.servers import CONNECTIONS

CACHES_MIB = {"cold": 16, "hot": 1024}
"""The cache of each load's edge: one is full of pages that nobody asks for again, the other has all of them."""


@dataclass(frozen=True)
class Cores:
    """The quotas, in cores: of each replica, of the edge of either load, of PostgreSQL."""

    replica: float
    cold: float
    hot: float
    postgres: float


class Stage:
    """The running parts. An edge knows the addresses of all replicas that there may be, and uses those that are ready.

    So it keeps its cache while replicas come. ``quotas`` is None where they cannot be had or are not wanted.
    """

    def __init__(self, catalogue: Catalogue, folder: Path, *, most: int, quotas: Quotas | None) -> None:
        self.catalogue = catalogue
        self.folder = folder
        self.replicas: list[Replica] = []
        self.edges: dict[str, Edge] = {}
        self._quotas = quotas
        self._cores: Cores | None = None
        self._groups: dict[str, Group] = {}
        self._addresses = [f"127.0.0.1:{free_port()}" for _ in range(most)]
        self._postmaster = int((catalogue.log.parent / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start the first replica and the edges. Raises ``OperatorError``."""
        self.add_replica()
        for number, (load, cache_mib) in enumerate(CACHES_MIB.items(), 1):
            status = f"127.0.0.1:{free_port()}"
            settings = {"EDGE_WORKERS": "1", "EDGE_CACHE_MIB": str(cache_mib), "EDGE_LOG": "off"}
            listen = f"127.0.0.1:{free_port()}"
            self.edges[load] = Edge(number, listen, status, self._addresses, self.folder, settings)
            self.edges[load].start()
            self.edges[load].wait_until_ready()

    def add_replica(self) -> None:
        """Start one more. It has no quota yet: within it the start would take 10 s. Raises ``OperatorError``."""
        number = len(self.replicas)
        port = int(self._addresses[number].split(":")[1])
        replica = Replica(number + 1, port, _environment(self.catalogue), self.folder)
        self.replicas.append(replica)
        replica.start()
        replica.wait_until_ready()

    def keep_one_replica(self) -> None:
        """End all replicas but the first, from which the edges hear of changes."""
        for replica in self.replicas[1:]:
            replica.tell(signal.SIGTERM)
        while len(self.replicas) > 1:
            self.replicas.pop().ended(20)

    def limit(self, cores: Cores) -> None:
        """Give every part its quota, and each replica that comes."""
        assert self._quotas is not None
        self._cores = cores
        for load, edge in self.edges.items():
            self._groups[load] = self._quotas.group(f"edge-{load}", getattr(cores, load), _with_children(edge.pid))
        self._groups[POSTGRES] = self._quotas.group("postgresql", cores.postgres, _with_children(self._postmaster))
        self.limit_replicas()

    def limit_replicas(self) -> None:
        """Give each replica that has none its quota, where there are quotas."""
        if self._quotas is None or self._cores is None:
            return
        for replica in self.replicas:
            if replica.name not in self._groups:
                name = replica.name.replace(" ", "-")
                self._groups[replica.name] = self._quotas.group(name, self._cores.replica, _with_children(replica.pid))

    def parts(self, load: str) -> list[Part]:
        """The parts that serve a load, with what each can have: its quota, or one core for each of its threads."""
        edge, many, cores = self.edges[load], len(self.replicas), self._cores
        replicas = [replica.pid for replica in self.replicas]
        held = [self._groups[replica.name] for replica in self.replicas if cores]
        if cores is None:
            return [
                Part(EDGE, [edge.pid], 1, "its one worker"),
                Part(REPLICAS, replicas, many, "one thread each"),
                Part(POSTGRES, [self._postmaster], psutil.cpu_count() or 1, "all cores"),
            ]
        return [
            Part(EDGE, [edge.pid], getattr(cores, load), "its quota", [self._groups[load]]),
            Part(REPLICAS, replicas, many * cores.replica, "the quotas of all replicas", held),
            Part(POSTGRES, [self._postmaster], cores.postgres, "its quota", [self._groups[POSTGRES]]),
        ]

    def stop(self) -> None:
        """Lift the quotas and end everything but PostgreSQL, which belongs to the catalogue."""
        if self._quotas is not None:
            self._quotas.release()
        for edge in self.edges.values():
            edge.stop(signal.SIGTERM, 5)
        for replica in self.replicas:
            replica.tell(signal.SIGINT)
        for replica in self.replicas:
            replica.ended(20)


@contextmanager
def stage(catalogue: Catalogue, *, most: int, quotas: Quotas | None) -> Iterator[Stage]:
    """The parts, running until the end of the context, with one replica and room for ``most``."""
    folder = Path(tempfile.mkdtemp(prefix="ladder-"))
    # The workers of root's nginx are another user.
    folder.chmod(0o755)
    made = Stage(catalogue, folder, most=most, quotas=quotas)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def _environment(catalogue: Catalogue) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWS_")}
    return {
        **inherited,
        "DATABASE_URL": str(catalogue.url),
        "REVIEWS_GRAPHIQL": "false",
        "REVIEWS_LOG_LEVEL": "warning",
        "REVIEWS_READ_CONNECTIONS": str(CONNECTIONS),
        "REVIEWS_DRAIN_SECONDS": "0",
    }


def _with_children(process: int) -> list[int]:
    top = psutil.Process(process)
    return [top.pid, *(child.pid for child in top.children(recursive=True))]
