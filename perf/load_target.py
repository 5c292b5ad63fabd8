"""What a load test aims at: a gateway that is named, or one of its own that is gone afterwards."""

from __future__ import annotations

import dataclasses
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from graphql_api.cluster import Cluster
from graphql_api.errors import OperatorError
from graphql_api.processes import check_edge, free_port
from graphql_api.settings import Settings
from graphql_api.up import prepared

REPLICAS = 2
_POSTS_A_SECOND = 10_000


def named(url: str) -> str:
    """The address of the gateway at ``url``. Raises ``OperatorError`` unless it is one that is ready."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OperatorError(f"URL is {url!r}: it must start with http:// or https:// and name a host.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise OperatorError(f"URL is {url!r}: it must be the gateway's address alone, without a path.")
    address = f"{parts.scheme}://{parts.netloc}"
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10):
            return address
    except (OSError, ValueError) as error:
        reason = error.code if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise OperatorError(f"{address} is not ready to be asked: /readyz says {reason}.") from error


@contextmanager
def own(state: Path, replicas: int | None) -> Iterator[str]:
    """The address of a gateway over the demo catalogue, running for the time of the context.

    ``replicas`` stand behind an edge; 0: one process and no edge; ``None``: as many as there are by default, without
    an edge where nginx is missing. DATABASE_URL names a database, else there is an embedded one in ``state``. Raises
    ``OperatorError`` for what can be put right.
    """
    settings = dataclasses.replace(Settings.from_environment(os.environ), state=state, graphiql=False)
    listen, status = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    folder = (state / "cluster").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    # All users come from one address.
    edge = {"EDGE_LOG": str(folder / "access.log"), "EDGE_POST_RATE": str(_POSTS_A_SECOND)}
    behind_edge = replicas if replicas is not None else _behind_edge(listen, status, edge)
    if replicas:
        check_edge(listen, status, edge)
    with prepared(settings, csv=None, demo=True) as url:
        kept = {"REVIEWS_GRAPHIQL": "false", "REVIEWS_LOG_LEVEL": "warning", "REVIEWS_STATE": str(state)}
        kept |= {"REVIEWS_MUTATION_RATE": "0", "REVIEWS_DOCUMENT_RATE": "0"}
        cluster = Cluster({**os.environ, **kept, "DATABASE_URL": url}, folder, behind_edge or 1, _say)
        try:
            cluster.start()
            if behind_edge:
                cluster.add_edge(listen, status, **edge)
            _say(f"Started {behind_edge} replicas behind the edge." if behind_edge else "Started one gateway process.")
            yield f"http://{listen if behind_edge else cluster.replicas[0].address}"
        finally:
            cluster.stop()


def _behind_edge(listen: str, status: str, edge: dict[str, str]) -> int:
    try:
        check_edge(listen, status, edge)
    except OperatorError as error:
        _say(f"{error} One gateway process is asked instead.")
        return 0
    return REPLICAS


def _say(text: str) -> None:
    print(text, flush=True)
