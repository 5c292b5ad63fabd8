"""``reviews cluster``: what production looks like, on one machine and without containers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from graphql_api.errors import OperatorError
from graphql_api.processes import Edge, Replica, check_edge, free_port
from graphql_api.serving import listening_socket
from graphql_api.settings import Settings
from graphql_api.up import prepared, saying

_LOOK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS, _HEALTHY_SECONDS = 8.0, 60.0


class Cluster:
    """Replicas on a database, and an edge before them. ``say`` takes a line for the person at the terminal."""

    def __init__(self, environment: dict[str, str], folder: Path, replicas: int, say: Callable[[str], None]) -> None:
        self.say = say
        self.folder = folder
        self.replicas = [Replica(n + 1, free_port(), environment, folder) for n in range(replicas)]
        self.edges: list[Edge] = []
        # Of replicas that died: when each is to start again, when it did last, and after which pause.
        self._due: dict[Replica, float] = {}
        self._started: dict[Replica, float] = {}
        self._pause: dict[Replica, float] = {}

    def start(self) -> None:
        """Start the replicas and wait until they are ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.wait_until_ready()

    def add_edge(self, listen: str, status: str, **more: str) -> Edge:
        """Start an edge before all replicas, and wait until it is ready."""
        addresses = [replica.address for replica in self.replicas]
        edge = Edge(len(self.edges) + 1, listen, status, addresses, self.folder, more)
        self.edges.append(edge)
        edge.start()
        edge.wait_until_ready()
        return edge

    def mend(self) -> None:
        """Start what has died again, after a pause that grows each time. An edge that died is the end."""
        for edge in self.edges:
            if not edge.is_running():
                raise OperatorError(f"The {edge.name} has ended; {edge.log} says why.")
        now = time.monotonic()
        for replica in self.replicas:
            if replica.is_running():
                if now > self._due.get(replica, now) + _HEALTHY_SECONDS:
                    del self._due[replica], self._pause[replica]
            elif self._due.get(replica, 0.0) <= self._started.get(replica, 0.0):
                self._pause[replica] = min(self._pause.get(replica, 0.25) * 2, _LONGEST_PAUSE_SECONDS)
                self._due[replica] = now + self._pause[replica]
                self.say(f"The {replica.name} has ended; it starts again in {self._pause[replica]:g} s.")
            elif self._due[replica] <= now:
                self._started[replica] = now
                replica.start()

    def stop(self) -> None:
        """End the edges first, so that nobody is refused by a replica that leaves."""
        for edge in self.edges:
            edge.stop(signal.SIGQUIT, 5)
        # As on a terminal: nobody is left for whom they would drain.
        for replica in self.replicas:
            replica.tell(signal.SIGINT)
        for replica in self.replicas:
            if replica.is_running():
                replica.ended(20)


def run(settings: Settings, *, replicas: int, csv: Path | None, demo: bool) -> None:
    """Bring up database, data, replicas and edge until Ctrl-C. Raises ``OperatorError`` for what can be put right."""
    say = saying()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    # Known before anything is started: the database and its data take a while.
    listen, status = _free_address(settings), f"127.0.0.1:{free_port()}"
    folder = (settings.state / "cluster").absolute()
    check_edge(listen, status, {"EDGE_LOG": "off"})
    try:
        with prepared(settings, csv=csv, demo=demo) as url:
            environment = {**os.environ, "DATABASE_URL": url, "REVIEWS_STATE": str(settings.state)}
            cluster = Cluster(environment, folder, replicas, say)
            try:
                say(f"Starting {replicas} replicas and the edge …")
                cluster.start()
                more = {"EDGE_CORS_ORIGINS": ",".join(settings.cors_origins), "EDGE_LOG": str(folder / "access.log")}
                cluster.add_edge(listen, status, **more)
                say(_welcome(listen, status, cluster))
                while True:
                    cluster.mend()
                    time.sleep(_LOOK_SECONDS)
            finally:
                say("Stopping …")
                cluster.stop()
    except KeyboardInterrupt:
        return


def _free_address(settings: Settings) -> str:
    """Where the edge will listen. Raises ``OperatorError`` where another does; port 0 is any that is free."""
    with listening_socket(settings.host, settings.port) as listening:
        port = listening.getsockname()[1]
    return f"[{settings.host}]:{port}" if ":" in settings.host else f"{settings.host}:{port}"


def _welcome(listen: str, status: str, cluster: Cluster) -> str:
    replicas = ", ".join(f"{replica.address} ({replica.pid})" for replica in cluster.replicas)
    return (
        f"\nGraphiQL: http://{listen}/graphql   (Ctrl-C stops everything)\n"
        f"The edge: http://{status}/status\n"
        f"Replicas: {replicas}\n"
        f"Logs: {cluster.folder}\n"
    )
