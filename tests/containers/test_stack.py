"""Images from nothing, the stack up, scaled, hurt and taken down, as its users would."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import yaml

from graphql_api.processes import free_port
from tests.conftest import Unmet
from tests.containers.engine import COMPOSE, IMAGES, ROOT, Engine, Stack, make_base, make_postgres, running_engine

pytestmark = pytest.mark.containers

HASH = hashlib.sha256((ROOT / "graphql_api/documents/ProductPage.graphql").read_bytes()).hexdigest()
PAGE = f"/graphql/p/{HASH}/ProductPage?variables=%7B%22id%22:1%7D"
PRODUCTS = "INSERT INTO products (product_id, name) SELECT n, 'Product ' || n FROM generate_series(1, 200) AS n"


def tell(text: str) -> None:
    """Say how long a step took, also where the test passes."""
    if sys.__stdout__ is not None:
        sys.__stdout__.write(f"{text}\n")
        sys.__stdout__.flush()


@pytest.fixture(scope="module")
def engine(unmet: Unmet) -> Iterator[Engine]:
    for program in ("docker", "debootstrap"):
        if shutil.which(program) is None:
            unmet(f"{program} is not installed: apt-get install docker.io debootstrap")
    if os.geteuid() != 0:
        unmet("debootstrap needs root")
    place = Path(tempfile.mkdtemp(prefix="containers-"))
    try:
        started = time.monotonic()
        with running_engine(place) as running:
            make_base(running, place)
            make_postgres(running, place)
            tell(f"\nbase images {time.monotonic() - started:.0f} s")
            yield running
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module", params=COMPOSE)
def compose(request: pytest.FixtureRequest, unmet: Unmet) -> str:
    """One of the programs that bring a stack up, and that it is here in the version it is named for."""
    program: str = request.param
    try:
        told = subprocess.run([*COMPOSE[program], "version"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        told = ""
    if not re.search(r"version v?2\." if program == "Compose v2" else r"version 1\.29", told):
        unmet(f"{program} is not installed")
    return program


@pytest.fixture(scope="module")
def stack(engine: Engine, compose: str) -> Iterator[Stack]:
    made = Stack(engine, free_port(), compose)
    tell(f"\n{compose}")
    started = time.monotonic()
    made.compose("build", "-q", "migration", "gateway", "edge")
    tell(f"build {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    made.compose("up", "-d", "--no-build")
    try:
        _ready(made, 1)
        tell(f"up {time.monotonic() - started:.0f} s")
        made.sql(PRODUCTS)
        yield made
    finally:
        made.compose("down", "-v", "-t", "5")


def _ready(stack: Stack, replicas: int) -> None:
    """Return when the edge has so many ready replicas."""
    deadline = time.monotonic() + 90
    while True:
        try:
            if httpx.get(f"{stack.url}/readyz").status_code == 200 and _ready_replicas(stack) == replicas:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            pytest.fail(stack.compose("logs", "--tail=20"))
        time.sleep(0.2)


def _ready_replicas(stack: Stack) -> int:
    code = "exec 3<>/dev/tcp/127.0.0.1/8081; printf 'GET /status HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    return stack.compose("exec", "-T", "edge", "bash", "-c", code).count('"ready":true')


class Clients:
    """Four clients that read all the time, each page anew half of the time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(4)]
        self.statuses: Counter[object] = Counter()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, first: int) -> None:
        number = first
        with httpx.Client(base_url=self._url, timeout=20) as client:
            while not self._stop.is_set():
                number = number % 100_000 + 4
                for product in (number % 200 + 1, 1):
                    path = PAGE.replace(":1%7D", f":{product},%22first%22:{number % 100 + 1}%7D")
                    try:
                        self.statuses[client.get(path).status_code] += 1
                    except httpx.TransportError as error:
                        self.statuses[repr(error)] += 1


def test_a_page_comes_from_a_replica_and_then_from_the_edge_until_it_changes(stack: Stack) -> None:
    # An edge that has just come up keeps nothing until its channel of changes is whole.
    deadline = time.monotonic() + 10
    states = [httpx.get(stack.url + PAGE).headers["x-cache"]]
    while states[-1] == "MISS" and time.monotonic() < deadline:
        states.append(httpx.get(stack.url + PAGE).headers["x-cache"])
    stack.sql("UPDATE products SET name = 'Renamed' WHERE product_id = 1")
    time.sleep(0.2)
    after = httpx.get(stack.url + PAGE)

    assert (states[0], states[-1]) == ("MISS", "HIT")
    assert (after.headers["x-cache"], after.json()["data"]["product"]["name"]) == ("MISS", "Renamed")


def test_only_the_edge_is_reached_and_nothing_internal_through_it(engine: Engine, stack: Stack) -> None:
    for service in ("postgres", "gateway"):
        (found,) = engine.inspected(*stack.containers(service))
        assert [port for port in found["NetworkSettings"]["Ports"].values() if port] == []
    assert httpx.get(f"{stack.url}/internal/changes").status_code == 404


def test_nobody_is_root_and_no_root_file_system_is_written(engine: Engine, stack: Stack) -> None:
    for service, user in (("gateway", "10001"), ("edge", "10002")):
        (found,) = engine.inspected(*stack.containers(service))
        assert found["Config"]["User"] == user
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"]
        assert stack.compose("exec", "-T", service, "id", "-u").strip() == user
        told = stack.compose("exec", "-T", service, "sh", "-c", "touch /srv/x 2>&1; touch /tmp/x && echo written")
        assert "Read-only file system" in told
        assert told.endswith("written\n")


def test_the_image_holds_the_gateway_and_no_tools(engine: Engine, stack: Stack) -> None:
    listed = stack.compose(
        "exec", "-T", "gateway", "sh", "-c", "ls /opt/reviews/lib/python3*/site-packages /srv/reviews"
    )
    assert not {"pytest", "locust", "pyarrow", "tests", "perf", "etl"} & set(listed.split())
    for name in ("GATEWAY_IMAGE", "EDGE_IMAGE"):
        tell(f"{IMAGES[name]}: {engine.inspected(IMAGES[name])[0]['Size'] / 2**20:.0f} MiB")


def test_the_image_can_send_traces(stack: Stack) -> None:
    code = "import opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http.trace_exporter; print('it can')"
    assert stack.compose("exec", "-T", "gateway", "python3", "-c", code) == "it can\n"


def test_scaled_and_killed_under_load_no_read_fails(engine: Engine, stack: Stack) -> None:
    with Clients(stack.url) as clients:
        stack.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "gateway=3")
        _ready(stack, 3)
        victim, other, *_ = stack.containers("gateway")
        engine.run("docker", "kill", victim)
        time.sleep(2)
        engine.run("docker", "start", victim)
        engine.run("docker", "restart", "-t", "15", other)
        time.sleep(2)

    tell(f"reads while scaled, killed and restarted: {dict(clients.statuses)}")
    assert set(clients.statuses) == {200}
    assert clients.statuses[200] > 500


def test_a_replica_that_is_stopped_drains_and_exits_with_0(engine: Engine, stack: Stack) -> None:
    replica = stack.containers("gateway")[-1]
    engine.run("docker", "stop", "-t", "15", replica)

    (found,) = engine.inspected(replica)
    assert found["State"]["ExitCode"] == 0
    engine.run("docker", "start", replica)


def test_every_container_says_that_it_is_healthy(engine: Engine, stack: Stack) -> None:
    deadline = time.monotonic() + 60
    while True:
        states = {
            service: [one["State"]["Health"]["Status"] for one in engine.inspected(*stack.containers(service))]
            for service in ("postgres", "edge", "gateway")
        }
        if {state for found in states.values() for state in found} == {"healthy"}:
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.5)


def test_replicas_are_a_role_that_changes_no_table_and_know_no_other(engine: Engine, stack: Stack) -> None:
    roles = (
        "SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity WHERE application_name LIKE 'reviews-gateway%'"
    )
    assert stack.sql(roles) == "reviews_gateway"
    assert stack.sql("SELECT has_table_privilege('reviews_gateway', 'reviews', 'TRUNCATE')") == "f"
    (found,) = engine.inspected(stack.containers("gateway")[0])
    assert not [one for one in found["Config"]["Env"] if "a-tests-own" in one]


@pytest.mark.parametrize("missing", ["POSTGRES_PASSWORD", "GATEWAY_PASSWORD"])
def test_without_a_password_nothing_starts(engine: Engine, compose: str, missing: str) -> None:
    given = {"POSTGRES_PASSWORD": "a-tests-own", "GATEWAY_PASSWORD": "another", missing: ""}
    with pytest.raises(AssertionError, match=missing):
        engine.run(*COMPOSE[compose], "-f", "docker/compose.yaml", "config", more=given)


def test_the_stack_for_a_swarm_is_one(engine: Engine, compose: str) -> None:
    variables = {**IMAGES, "POSTGRES_PASSWORD": "a-tests-own", "GATEWAY_PASSWORD": "another"}
    read = yaml.safe_load(engine.run(*COMPOSE[compose], "-f", "docker/stack.yaml", "config", more=variables))

    assert set(read["services"]) == {"postgres", "migration", "gateway", "edge"}
    assert read["services"]["gateway"]["deploy"]["endpoint_mode"] == "dnsrr"
    assert all("depends_on" not in service for service in read["services"].values())
