"""What is overloaded: a replica and an edge with their defaults; and beside them an nginx that refuses everything."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from graphql_api.errors import OperatorError
from graphql_api.processes import Child, Edge, Replica, free_port
from perf.catalogue import Catalogue
from perf.servers import OWN_DOCUMENTS

_REFUSING = """
daemon off;
worker_processes 1;
pid {place}/pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    server {{
        listen {address} backlog=4096;
        default_type "application/json; charset=utf-8";
        add_header Cache-Control no-store always;
        add_header Retry-After 1 always;
        add_header X-Cache BYPASS always;
        return 503 '{refusal}';
    }}
}}
"""
_REFUSAL = (
    '{"errors":[{"message":"Too much is asked of this server at the moment: ask again later.",'
    '"extensions":{"code":"OVERLOADED"}}]}'
)
"""The edge's own, byte for byte."""


@dataclass(frozen=True)
class Stage:
    """Addresses, ``host:port``, and the edge's process."""

    edge: str
    replica: str
    refusing: str
    edge_process: int


@contextmanager
def stage(catalogue: Catalogue) -> Iterator[Stage]:
    """All of it, running until the end of the context. Raises ``OperatorError``."""
    folder = Path(tempfile.mkdtemp(prefix="overload-"))
    # The workers of root's nginx are another user.
    folder.chmod(0o755)
    replica = Replica(1, free_port(), _environment(catalogue), folder)
    listen, status, refusing = (f"127.0.0.1:{free_port()}" for _ in range(3))
    edge = Edge(1, listen, status, [replica.address], folder, {"EDGE_LOG": "off"})
    static = _refusing(refusing, folder)
    try:
        for child in (replica, static):
            child.start()
        replica.wait_until_ready()
        edge.start()
        edge.wait_until_ready()
        _wait_until_refusing(static, refusing)
        yield Stage(listen, replica.address, refusing, edge.pid)
    finally:
        for child, number in ((edge, signal.SIGTERM), (static, signal.SIGTERM), (replica, signal.SIGINT)):
            if child.is_running():
                child.stop(number, 10)
        shutil.rmtree(folder)


def _refusing(address: str, folder: Path) -> Child:
    configuration = folder / "refusing.conf"
    configuration.write_text(_REFUSING.format(place=folder, address=address, refusal=_REFUSAL))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [nginx, "-p", f"{folder}/", "-c", str(configuration), "-e", "stderr"]
    return Child("nginx that refuses", command, os.environ, folder / "refusing.log")


def _wait_until_refusing(static: Child, address: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://{address}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise OperatorError(f"The {static.name} did not start: {static.log.read_text()}")


def _environment(catalogue: Catalogue) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWS_")}
    return {
        **inherited,
        "DATABASE_URL": str(catalogue.url),
        "REVIEWS_GRAPHIQL": "false",
        "REVIEWS_MANIFESTS": str(OWN_DOCUMENTS),
        "REVIEWS_LOG_LEVEL": "error",
        "REVIEWS_DRAIN_SECONDS": "0",
    }
