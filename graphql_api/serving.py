"""The server process: one uvicorn, or several workers on one socket, until it is told to stop."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from graphql_api.draining import FINISH_SECONDS, DrainingServer, DrainingWorkers
from graphql_api.errors import OperatorError
from graphql_api.instruments.workers import shared_folder
from graphql_api.protocol import Protocol
from graphql_api.settings import Settings

_APP, _WORKER = "graphql_api.app:from_environment", "graphql_api.serving:worker"
_LOOK_SECONDS = 0.05


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ``OperatorError`` where another does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _notice_the_vanished(listening)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise OperatorError(
            f"Port {port} on {host} cannot be used ({error.strerror}): choose another with --port, "
            "or stop what listens there."
        ) from error
    listening.set_inheritable(True)
    return listening


def _notice_the_vanished(listening: socket.socket) -> None:
    """Let the system ask connections of clients that are silent for half a minute whether these are still there.

    One that lost its power or its network closes nothing. Connections have this of the socket that took them.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):  # by other names elsewhere than on Linux
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def address_of(listening: socket.socket) -> str:
    """The address to open in a browser on this machine."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(listening: socket.socket, settings: Settings, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGHUP, or SIGTERM and its drain; ``ready`` gets the address once requests are answered.

    The application reads this process's environment, as workers do, who get no other.
    """
    address = address_of(listening)
    # A connection is a file, and the usual 1,024 are fewer than may be taken.
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    threading.Thread(target=_call_when_ready, args=(address, ready), daemon=True).start()
    config = uvicorn.Config(
        _APP if settings.workers == 1 else _WORKER,
        factory=True,
        http=Protocol,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    # Until the server takes signals itself, and after it has ended.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if settings.workers == 1:
            server = DrainingServer(config, settings.drain_seconds)
            server.run(sockets=[listening])
            started = server.started
        else:
            with shared_folder(settings):
                supervisor = DrainingWorkers(config, [listening], settings.drain_seconds)
                supervisor.run()
            started = all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)
    except KeyboardInterrupt:
        return
    finally:
        listening.close()
    if not started:
        raise OperatorError("The gateway did not start; the lines above say why.")


def worker() -> ASGIApp:
    """The application of one worker process."""
    from graphql_api.app import from_environment  # noqa: PLC0415 - the supervisor needs no schema

    leave_with_parent()
    try:
        return from_environment()
    except OperatorError as error:
        # Not one of the ends after which the supervisor starts another worker: that would fail as this one did.
        sys.stderr.write(f"reviews: {error}\n")
        sys.exit(STARTUP_FAILURE)


def leave_with_parent() -> None:
    """End this process when the one that started it is gone: a supervisor that was killed cannot stop its workers."""
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None, "only a worker has a supervisor"

    def watch() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _call_when_ready(address: str, ready: Callable[[str], None]) -> None:
    # Without end: a database may be migrated at any time.
    while True:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):  # noqa: S310 - our own address
                ready(address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_SECONDS)
