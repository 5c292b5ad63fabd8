"""The command line, end to end: processes of their own, and the state folder each of them finds."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from graphql_api.db.embedded import EmbeddedPostgres
from tests.harness.databases import rows, run, value
from tests.harness.processes import ROOT, SECONDS, Running, environment, wait_for

SAMPLE = ROOT / "tests" / "data" / "atelier"
COUNTS = "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM reviews), (SELECT count(*) FROM loads)"


def reviews(*arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """``reviews`` as a person runs it, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "graphql_api.cli", *arguments],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refusal(*arguments: str, **given: str) -> str:
    """The one sentence with which ``reviews`` refuses."""
    done = reviews(*arguments, **given)
    assert (done.returncode, done.stdout) == (2, "")
    # The lines before the last say which step was under way.
    *steps, sentence = done.stderr.splitlines()
    assert "Traceback" not in "".join(steps)
    return sentence


@contextmanager
def up(state: Path, *arguments: str) -> Iterator[Running]:
    """``reviews up`` on a free port, serving; stopped at the end if the test did not."""
    running = Running("up", "--port", "0", "--state", str(state), *arguments)
    try:
        running.wait_until_serving()
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGINT)


def users_of(state: Path) -> list[int]:
    """The processes that work on the state's data."""
    data = str(EmbeddedPostgres.of(state).data)
    found = []
    for process in psutil.process_iter():
        try:
            if data in process.cmdline() or process.cwd() == data:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def remove(state: Path) -> None:
    """Stop what a failed test left running and take the data away: as root it may lie outside the state folder."""
    server = EmbeddedPostgres.of(state)
    server._run("pg_ctl", "stop", "-D", str(server.data), "-m", "immediate", check=False)
    for folder in (server.data, *server.data.parent.glob(f"{server.data.name}-new-*")):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder that one run of ``reviews up`` filled with the demo catalogue, and left with Ctrl-C."""
    state = tmp_path_factory.mktemp("demo")
    try:
        with up(state) as running:
            assert "Made the tables." in running.said
            assert "Making a demo catalogue: 2,000 products, one with 20,000 reviews …" in running.said
        yield state
    finally:
        remove(state)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder with the sample catalogue, loaded with ``--csv``."""
    state = tmp_path_factory.mktemp("sample")
    try:
        with up(state, "--csv", str(SAMPLE / "v2")) as running:
            assert running.ask("{ product(id: 2) { ratingSummary { count } } }") == {
                "data": {"product": {"ratingSummary": {"count": 5}}}
            }
        yield state
    finally:
        remove(state)


def counts(state: Path) -> tuple[int, int, int]:
    """Products, reviews and loads of a state folder whose server is up."""
    (found,) = rows(EmbeddedPostgres.of(state).url, COUNTS)
    return tuple(found)


def test_the_printed_request_is_answered_from_the_demo_catalogue_by_the_second_run_too(demo: Path) -> None:
    started = time.monotonic()
    with up(demo) as running:
        sys.stdout.write(f"serving after {time.monotonic() - started:.2f} s\n")
        assert "Made the tables." not in running.said
        assert [line for line in running.said if "demo catalogue" in line] == []
        products, _, loads = counts(demo)
        assert (products, loads) == (2_000, 1)
        if shutil.which("curl"):
            body = json.loads(subprocess.run(running.curl, capture_output=True, check=True, timeout=30).stdout)
        else:
            command = running.curl
            header = dict([command[command.index("-H") + 1].split(": ")])
            sent = command[command.index("-d") + 1]
            body = httpx.post(command[1], content=sent, headers=header, timeout=30).json()
        hot = value(EmbeddedPostgres.of(demo).url, "SELECT count(*) FROM reviews WHERE product_id = 1 AND NOT reported")
        assert body["data"]["product"]["ratingSummary"]["count"] == hot
        assert httpx.get(f"{running.url}/graphql", headers={"Accept": "text/html"}, timeout=30).status_code == 200


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that run; one that ended may wait for somebody to ask for its exit code."""
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        ("1", signal.SIGINT),
        ("1", signal.SIGTERM),
        ("1", signal.SIGHUP),
        ("2", signal.SIGINT),
        ("2", signal.SIGHUP),
    ],
)
def test_a_signal_stops_gateway_and_database_in_good_order(sample: Path, number: signal.Signals, workers: str) -> None:
    with up(sample, "--no-demo", "--workers", workers) as running:
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert users_of(sample) != []
        assert running.end(number) == 0
        assert running.said[-1] == "Stopping …"
        assert [line for line in running.said if "Traceback" in line] == []
        assert users_of(sample) == []
        assert alive(children) == []


def test_two_workers_answer(sample: Path) -> None:
    with up(sample, "--workers", "2") as running:
        answers = [running.ask("{ product(id: 1) { name } }") for _ in range(10)]
    assert answers == [{"data": {"product": {"name": "Camo Onesie"}}}] * 10


def test_workers_leave_when_their_supervisor_was_killed(sample: Path) -> None:
    with up(sample, "--workers", "2") as running:
        workers = psutil.Process(running.process.pid).children(recursive=True)
        assert running.end(signal.SIGKILL) == -9
        wait_for(lambda: alive(workers) == [])
        with pytest.raises(httpx.ConnectError):
            running.ask("{ __typename }")


def test_after_a_kill_the_next_run_serves_the_same_data_and_stops_the_database(sample: Path) -> None:
    with up(sample) as running:
        before = counts(sample)
        assert running.end(signal.SIGKILL) == -9
    assert users_of(sample) != []
    with up(sample) as running:
        assert counts(sample) == before
        assert running.end(signal.SIGINT) == 0
    assert users_of(sample) == []


def test_postgresql_that_was_killed_is_started_again(sample: Path) -> None:
    with up(sample) as running:
        first = int((EmbeddedPostgres.of(sample).data / "postmaster.pid").read_text().split()[0])
        postgres = psutil.Process(first)
        processes = [postgres, *postgres.children()]

        for process in processes:
            process.kill()

        psutil.wait_procs(processes, SECONDS)
        wait_for(lambda: "errors" not in running.ask("{ product(id: 1) { name } }"))
        assert int((EmbeddedPostgres.of(sample).data / "postmaster.pid").read_text().split()[0]) != first
    assert users_of(sample) == []


def test_a_folder_is_loaded_once(sample: Path) -> None:
    with up(sample, "--csv", str(SAMPLE / "v2")) as running:
        assert f"{SAMPLE / 'v2'} was loaded before." in running.said
        assert counts(sample) == (10, 14, 1)


def test_another_folder_is_refused_and_nothing_changes(sample: Path) -> None:
    sentence = refusal("up", "--port", "0", "--state", str(sample), "--csv", str(SAMPLE / "v1"))
    assert sentence == (
        "reviews: The database holds another catalogue, loaded from 'v2': name another folder with --state, "
        "or load these files into it with python -m etl load."
    )
    assert users_of(sample) == []
    with EmbeddedPostgres.of(sample).running():
        assert counts(sample) == (10, 14, 1)


def test_the_database_can_be_asked_by_hand_while_it_runs(sample: Path) -> None:
    with up(sample):
        shown = reviews("db", "url", "--state", str(sample))
        assert (shown.returncode, shown.stderr) == (0, "")
        asked = [EmbeddedPostgres.of(sample).binaries / "psql", "-X", "-A", "-t", shown.stdout.strip()]
        said = subprocess.run([*asked, "-c", COUNTS], capture_output=True, text=True, check=True, timeout=30).stdout
        assert said == "10|14|1\n"
    assert refusal("db", "url", "--state", str(sample)) == (
        f"reviews: The embedded database of {sample} is not running: start it with reviews up."
    )


def test_a_state_folder_without_a_database_has_no_address(tmp_path: Path) -> None:
    assert refusal("db", "url", "--state", str(tmp_path)) == (
        f"reviews: {tmp_path} holds no embedded database: make one with reviews up."
    )
    assert list(tmp_path.iterdir()) == []


def test_without_the_demo_an_empty_database_stays_empty(tmp_path: Path) -> None:
    try:
        with up(tmp_path, "--no-demo") as running:
            assert counts(tmp_path) == (0, 0, 0)
            assert running.ask("{ product(id: 1) { name } }") == {"data": {"product": None}}
    finally:
        remove(tmp_path)


def test_a_run_interrupted_while_it_sets_up_leaves_nothing_running(tmp_path: Path) -> None:
    starting = Running("up", "--port", "0", "--state", str(tmp_path), "--no-demo")
    try:
        wait_for(lambda: [line for line in starting.said if line.startswith("Starting PostgreSQL")])
        time.sleep(0.3)
        assert starting.end(signal.SIGINT) == 0
        assert [line for line in starting.said if "Traceback" in line] == []
        wait_for(lambda: users_of(tmp_path) == [])
    finally:
        remove(tmp_path)


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_in_use_is_one_sentence(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refusal(
            command, "--port", str(port), REVIEWS_STATE=str(tmp_path), DATABASE_URL="postgresql://127.0.0.1:1/none"
        )
    assert sentence == (
        f"reviews: Port {port} on 127.0.0.1 cannot be used (Address already in use): choose another with --port, "
        "or stop what listens there."
    )
    assert list(tmp_path.iterdir()) == []


def test_data_of_another_postgresql_is_one_sentence(tmp_path: Path) -> None:
    data = EmbeddedPostgres.of(tmp_path).data
    data.mkdir()
    try:
        (data / "PG_VERSION").write_text("17\n")
        assert refusal("up", "--port", "0", "--state", str(tmp_path)) == (
            f"reviews: {data} holds data of PostgreSQL 17, and this build runs 18: choose another folder with --state, "
            "or move the data over with pg_dump and psql."
        )
    finally:
        shutil.rmtree(data)


def test_a_database_of_a_newer_build_is_one_sentence(sample: Path) -> None:
    with EmbeddedPostgres.of(sample).running() as url:
        found = value(url, "SELECT version_num FROM alembic_version")
        run(url, "UPDATE alembic_version SET version_num = '9999'")
        try:
            assert refusal("up", "--port", "0", "--state", str(sample)) == (
                "reviews: The database is at revision 9999, which this build does not know: run the newer build that "
                "made it, or choose another database or state folder."
            )
        finally:
            run(url, f"UPDATE alembic_version SET version_num = '{found}'")


def test_a_database_away_is_one_sentence_without_its_password() -> None:
    sentence = refusal("up", "--port", "0", DATABASE_URL="postgresql://shop:geheim@127.0.0.1:1/reviews")
    assert sentence.startswith("reviews: The database postgresql://shop:***@127.0.0.1:1/reviews cannot be reached: ")


def test_serve_needs_an_address() -> None:
    assert refusal("serve", "--port", "0") == (
        "reviews: DATABASE_URL is not set: name a PostgreSQL 15 or newer, or run reviews up."
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_serves_the_database_it_was_given_and_stops_in_good_order(sample: Path, workers: str) -> None:
    with EmbeddedPostgres.of(sample).running() as url:
        serving = Running("serve", "--port", "0", "--workers", workers, DATABASE_URL=url)
        try:
            serving.wait_until_serving()
            # Each process warns of its role, which owns the tables here.
            *warnings, line = serving.said
            assert all("run reviews db grant" in warning for warning in warnings)
            address = line.removeprefix("Serving ")
            body = httpx.post(address, json={"query": "{ product(id: 1) { name } }"}, timeout=30).json()
            assert body == {"data": {"product": {"name": "Camo Onesie"}}}
        finally:
            assert serving.end(signal.SIGTERM) == 0
        assert value(url, "SELECT 1") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_broken_document_ends_the_start_however_many_workers_read_it(tmp_path: Path, workers: str) -> None:
    broken = tmp_path / "Broken.graphql"
    broken.write_text("query {\n  product(id: 1) { quux }\n}")
    done = reviews(
        *("serve", "--port", "0", "--workers", workers),
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        REVIEWS_MANIFESTS=str(broken),
    )
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert f"reviews: {broken}:2:20: Cannot query field 'quux' on type 'Product'." in done.stderr.splitlines()


def test_the_schema_is_printed_as_it_is_committed() -> None:
    done = reviews("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "graphql_api" / "schema" / "schema.graphql").read_text()


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("REVIEWS_PORT", "abc", "a whole number from 0 to 65535"),
        ("REVIEWS_PROT", "1", "a known name; the README lists them all"),
    ],
)
@pytest.mark.parametrize("command", [("up",), ("serve",), ("db", "url")])
def test_a_bad_setting_names_its_variable(
    tmp_path: Path, command: tuple[str, ...], variable: str, text: str, expected: str
) -> None:
    given = {"REVIEWS_STATE": str(tmp_path), variable: text}
    assert refusal(*command, **given) == f"reviews: {variable}={text!r} cannot be used: expected {expected}."
    assert list(tmp_path.iterdir()) == []


def test_up_without_the_packages_of_the_etl_is_one_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from graphql_api.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", code, "up", "--state", str(tmp_path)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (
        2,
        "reviews: reviews up needs the package pyarrow: install reviews-gateway[etl].\n",
    )
