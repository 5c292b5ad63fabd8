"""A running gateway for tests: the real app on a real server, asked over HTTP."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import uvicorn

from graphql_api.app import create_app
from graphql_api.draining import DrainingServer
from graphql_api.protocol import Protocol
from graphql_api.serving import address_of, listening_socket
from graphql_api.settings import Settings


class Gateway:
    """Asks one gateway. ``url`` is its address, ``database`` that of its database."""

    def __init__(self, url: str, database: str) -> None:
        self.url = url
        self.database = database
        self.http = httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_connections=100))

    def send(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer to ``query``."""
        response = self.http.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        return body

    def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = self.send(query, **variables)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def refusal(self, query: str, /, **variables: Any) -> tuple[str, str]:
        """The code and the message of an answer's one error."""
        (error,) = self.send(query, **variables)["errors"]
        return error["extensions"]["code"], error["message"]


@contextmanager
def running_gateway(settings: Settings, *, limited: bool = False) -> Iterator[Gateway]:
    """A gateway in this process, on a free port, for the time of the context.

    Unless it is ``limited``, it takes any number of requests of one client: all tests come from one address.
    """
    assert settings.database_url is not None
    if not limited:
        settings = replace(settings, mutation_rate=0, document_rate=0)
    listening = listening_socket("127.0.0.1", 0)
    config = uvicorn.Config(create_app(settings), http=Protocol, log_config=None, access_log=False)
    server = DrainingServer(config, settings.drain_seconds)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the gateway did not start"
            time.sleep(0.01)
        gateway = Gateway(address_of(listening), settings.database_url)
        with gateway.http:
            yield gateway
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.rows: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.args, tuple)
        name = str(record.args[0])
        # Once a minute a process says which documents it has used; that belongs to no request.
        if name != "documents touched":
            self.names.append(name)
            self.rows.append(int(record.args[1]) if len(record.args) > 1 else 0)  # type: ignore[call-overload] # a count


@contextmanager
def recorded_statements() -> Iterator[list[str]]:
    """The names of the statements that gateways of this process run meanwhile, in their order."""
    recorder = _Recorder()
    with hearing_statements(recorder):
        yield recorder.names


@contextmanager
def recorded_rows() -> Iterator[list[int]]:
    """How many rows each of them brings."""
    recorder = _Recorder()
    with hearing_statements(recorder):
        yield recorder.rows


@contextmanager
def hearing_statements(recorder: logging.Handler) -> Iterator[None]:
    """Let ``recorder`` hear of each statement that gateways of this process run meanwhile."""
    logger = logging.getLogger("reviews.sql")
    level = logger.level
    logger.addHandler(recorder)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(recorder)
        logger.setLevel(level)
