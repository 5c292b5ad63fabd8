"""``reviews cluster``, end to end: replicas and an edge that come, are mended and go together."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil
import pytest

from tests.harness.processes import ROOT, SECONDS, Running, environment, wait_for
from tests.test_cli import SAMPLE, alive, refusal, remove, users_of

pytestmark = pytest.mark.edge

QUERY = "query Checked { product(id: 1) { name } }"
ANSWER = {"data": {"product": {"name": "Camo Onesie"}}}


@pytest.fixture(scope="module")
def state(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder for clusters."""
    assert nginx
    state = tmp_path_factory.mktemp("cluster")
    try:
        yield state
    finally:
        remove(state)


@contextmanager
def cluster(state: Path) -> Iterator[Running]:
    """``reviews cluster`` with two replicas and the sample catalogue, serving."""
    running = Running("cluster", "--replicas", "2", "--port", "0", "--state", str(state), "--csv", str(SAMPLE / "v2"))
    try:
        wait_for(lambda: any(line.startswith("Logs: ") for line in running.said) or running._ended())
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGINT)


def children_of(running: Running) -> list[psutil.Process]:
    """The replicas, nginx and its workers."""
    return psutil.Process(running.process.pid).children(recursive=True)


def replicas_of(running: Running) -> list[psutil.Process]:
    """The replicas."""
    return [child for child in children_of(running) if child.cmdline()[-1] == "serve"]


def test_a_read_is_kept_by_the_edge_and_a_signal_stops_everything(state: Path) -> None:
    with cluster(state) as running:
        assert len(replicas_of(running)) == 2
        children = children_of(running)
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": _hash(QUERY)}}
        httpx.post(f"{running.url}/graphql", json={"query": QUERY, "extensions": extensions}, timeout=30)
        asked = f"{running.url}/graphql?{urlencode({'extensions': _json(extensions)})}"
        answers = [httpx.get(asked, timeout=30) for _ in range(3)]
        assert [answer.json() for answer in answers] == [ANSWER] * 3
        # The first may be asked of a replica that does not know the document yet, or before the channel is there.
        assert answers[-1].headers["x-cache"] == "HIT"

        assert running.end(signal.SIGTERM) == 0

        assert running.said[-1] == "Stopping …"
        assert [line for line in running.said if "Traceback" in line] == []
        assert alive(children) == []
        assert users_of(state) == []


def test_a_replica_that_dies_is_started_again_and_nobody_is_refused(state: Path) -> None:
    with cluster(state) as running:
        first, second = replicas_of(running)
        first.kill()

        answers = [running.ask("{ product(id: 1) { name } }") for _ in range(50)]
        wait_for(lambda: len(replicas_of(running)) == 2)

        assert answers == [ANSWER] * 50
        assert [line for line in running.said if line.startswith("The replica ")] == [
            "The replica 1 has ended; it starts again in 0.5 s."
        ]
        assert second in replicas_of(running)
        assert first not in replicas_of(running)


def test_everything_leaves_with_a_cluster_that_was_killed(state: Path) -> None:
    with cluster(state) as running:
        children = children_of(running)
        assert {child.name() for child in children} >= {"nginx"}

        assert running.end(signal.SIGKILL) == -9

        wait_for(lambda: alive(children) == [])


def test_a_port_that_is_taken_is_refused_before_anything_starts(nginx: str, tmp_path: Path) -> None:
    assert nginx
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refusal("cluster", "--port", str(port), "--state", str(tmp_path / "none"))

    assert sentence == (
        f"reviews: Port {port} on 127.0.0.1 cannot be used (Address already in use): choose another with --port, "
        "or stop what listens there."
    )
    assert not (tmp_path / "none").exists()


def test_without_nginx_the_packages_are_named_before_anything_starts(tmp_path: Path) -> None:
    # A root folder without nginx would need another system: the sentence is that of the script, which is given a place
    # for programs that has none.
    script = (ROOT / "nginx" / "run.sh").read_text().replace("/usr/sbin/nginx", str(tmp_path / "nginx"))
    place = tmp_path / "run.sh"
    place.write_text(script)
    (tmp_path / "bin").mkdir()
    for tool in ("dirname", "mkdir", "env", "sed"):
        (tmp_path / "bin" / tool).symlink_to(f"/usr/bin/{tool}")

    done = subprocess.run(
        ["/bin/sh", str(place), "--check", str(tmp_path / "prefix")],
        env={**environment(), "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert (done.returncode, done.stderr) == (
        2,
        "edge: nginx is missing: apt-get install nginx libnginx-mod-http-lua lua-cjson.\n",
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value)
