"""An edge before a gateway of this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from graphql_api.processes import Edge, free_port
from tests.harness.exposition import Exposition, exposition_of
from tests.harness.gateway import Gateway
from tests.harness.processes import wait_for


class Fronted:
    """``http`` asks the edge as clients do, ``status`` as operators do."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.http = httpx.Client(base_url=f"http://{edge.listen}", timeout=30)
        self.status = httpx.Client(base_url=f"http://{edge.status}", timeout=30)

    def metrics(self) -> Exposition:
        """What it says of itself now."""
        return exposition_of(self.status.get("/metrics").raise_for_status().text)


@contextmanager
def running_edge(gateway: Gateway, folder: Path, **more: str) -> Iterator[Fronted]:
    """An edge of one worker whose channel of changes is whole, for the time of the context. ``more`` are settings."""
    listen, status = (f"127.0.0.1:{free_port()}" for _ in range(2))
    replica = gateway.url.removeprefix("http://")
    edge = Edge(0, listen, status, [replica], folder, {"EDGE_WORKERS": "1", "EDGE_LOG": "off", **more})
    edge.start()
    try:
        edge.wait_until_ready()
        fronted = Fronted(edge)
        with fronted.http, fronted.status:
            wait_for(lambda: fronted.status.get("/status").json()["live"])
            yield fronted
    finally:
        edge.stop(signal.SIGQUIT, 5)
