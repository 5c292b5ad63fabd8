"""A load that is killed: the same command carries on, and ends where one that was not killed ends."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from etl.generating.folder import generate_folder
from etl.load import load_folder
from etl.verify import verify_database
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Settings
from tests.etl.dumps import dump
from tests.etl.folders import write_folder
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import Gateway, running_gateway

KILLS = 4
"""Kills of one load, at random points; five loads of each kind make 20."""
CHUNK_KIB = 64


class Uninterrupted(NamedTuple):
    """A folder, what its load leaves when nothing happens, and how long that takes from its first line on."""

    folder: Path
    dump: dict[str, list[str]]
    seconds: float


@contextmanager
def loading(url: str, folder: Path, state: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, started, once it has said its first word."""
    command = [sys.executable, "-m", "etl", "load", str(folder), "--progress", "lines", "--chunk-kib", str(CHUNK_KIB)]
    environment = {**os.environ, "DATABASE_URL": url, "REVIEWS_STATE": str(state)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        try:
            assert one.stderr is not None
            assert one.stderr.readline() in {"Looking at the files\n", "Waiting for another load to end …\n"}
            yield one
        finally:
            one.kill()


def told(stream: IO[str] | None) -> str:
    """What is left to read."""
    assert stream is not None
    return stream.read()


@pytest.fixture(scope="module")
def uninterrupted(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    """A load of 20,000 rows that nobody interrupts."""
    place = tmp_path_factory.mktemp("uninterrupted")
    folder = place / "shop"
    generate_folder(folder, products=500, seed=11, hot=1500)
    url = databases.migrated()
    with loading(url, folder, place / "state") as one:
        begun = time.monotonic()
        assert one.wait(60) == 0, told(one.stderr)
        seconds = time.monotonic() - begun
    return Uninterrupted(folder, dump(url), seconds)


@pytest.fixture(scope="module")
def left_by_embedded(uninterrupted: Uninterrupted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the same load leaves on the embedded server: other versions have other names for some constraints."""
    state = tmp_path_factory.mktemp("embedded")
    with EmbeddedPostgres.of(state).running() as url:
        migrate(url, Settings())
        load_folder(url, uninterrupted.folder, Settings(state=state))
        return dump(url)


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_moment_the_same_command_carries_on(
    seed: int, uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    url = databases.migrated()
    for _ in range(KILLS):
        with loading(url, uninterrupted.folder, tmp_path / "state") as one:
            time.sleep(chance.random() * uninterrupted.seconds)
            one.send_signal(signal.SIGKILL)

    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        assert one.wait(60) == 0, told(one.stderr)

    assert dump(url) == uninterrupted.dump
    assert verify_database(url, Settings()).unsound == 0


def changed_copy(folder: Path, place: Path) -> Path:
    """The folder with every tenth review more helpful, and the last hundred ratings gone."""
    shutil.copytree(folder, place)
    reviews = (place / "reviews.csv").read_text().splitlines()
    reviews[1::10] = [line.rpartition(",")[0] + ",77" for line in reviews[1::10]]
    (place / "reviews.csv").write_text("\n".join(reviews) + "\n")
    ratings = (place / "characteristic_reviews.csv").read_text().splitlines()
    (place / "characteristic_reviews.csv").write_text("\n".join(ratings[:-100]) + "\n")
    return place


def test_a_later_load_that_is_killed_changes_nothing_until_it_changes_all(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path, settings: Settings
) -> None:
    changed = changed_copy(uninterrupted.folder, tmp_path / "changed")
    chance = random.Random(3)
    expected, url = databases.migrated(), databases.migrated()
    for one in (expected, url):
        load_folder(one, uninterrupted.folder, settings)
    load_folder(expected, changed, settings)
    said = []
    for _ in range(KILLS):
        with loading(url, changed, tmp_path / "state") as one:
            time.sleep(chance.random() * uninterrupted.seconds / 2)
            one.send_signal(signal.SIGKILL)
            said.append(told(one.stderr))
        helpful = value(url, "SELECT count(*) FROM reviews WHERE helpfulness = 77")
        assert helpful in {0, value(expected, "SELECT count(*) FROM reviews WHERE helpfulness = 77")}

    with loading(url, changed, tmp_path / "state") as one:
        said.append(told(one.stderr))
        assert one.wait(60) == 0

    assert any(
        text.startswith("Beginning again: the load of changed that was interrupted had changed nothing.")
        for text in said
    )
    assert dump(url) == dump(expected)


def test_two_loads_at_once_wait_for_each_other(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path
) -> None:
    url = databases.migrated()
    with (
        loading(url, uninterrupted.folder, tmp_path / "one") as one,
        loading(url, uninterrupted.folder, tmp_path / "two") as two,
    ):
        printed = [some.communicate(timeout=60) for some in (one, two)]

    assert [one.returncode, two.returncode] == [0, 0], printed
    assert sorted("nothing was done" in out for out, _ in printed) == [False, True]
    assert dump(url) == uninterrupted.dump


def test_it_says_from_where_it_carries_on(uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        while not value(url, "SELECT count(*) FROM load_chunks WHERE part = 'reviews'"):
            assert one.poll() is None
        one.send_signal(signal.SIGKILL)
    one.wait()
    time.sleep(0.3)  # until PostgreSQL has noticed, and rolled the chunk under way back
    # Photos among them, if the load was quicker than the signal.
    parts = ("products", "characteristics", "reviews", "photos", "ratings")
    stored = {part: value(url, "SELECT sum(row_count) FROM load_chunks WHERE part = $1", part) for part in parts}

    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        said = told(one.stderr).splitlines()[0]
        assert one.wait(60) == 0

    told_of = ", ".join(f"{count:,} {part}" for part, count in stored.items() if count)
    assert said == f"Carrying on with a load that was interrupted: {told_of} had been stored."
    assert dump(url) == uninterrupted.dump


@pytest.mark.parametrize("seed", range(3))
def test_a_database_killed_at_any_moment_loses_nothing(
    seed: int,
    uninterrupted: Uninterrupted,
    left_by_embedded: dict[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    chance = random.Random(seed)
    state = tmp_path_factory.mktemp("killed")
    embedded = EmbeddedPostgres.of(state)
    with embedded.running() as url:
        migrate(url, Settings())
    for _ in range(2):
        with embedded.running() as url, loading(url, uninterrupted.folder, state) as one:
            time.sleep(chance.random() * uninterrupted.seconds)
            os.kill(int((embedded.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            code = one.wait(60)
            printed = told(one.stderr)
            assert code in {0, 2}
            assert ("run the same command again" in printed or "cannot be reached" in printed) == (code == 2), printed

    with embedded.running() as url:
        with loading(url, uninterrupted.folder, state) as one:
            assert one.wait(60) == 0, told(one.stderr)
        assert dump(url) == left_by_embedded


def test_a_connection_cut_at_any_moment_is_one_sentence(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path
) -> None:
    url = databases.migrated()
    chance = random.Random(1)
    cuts = 0
    while cuts < KILLS:
        with loading(url, uninterrupted.folder, tmp_path / "state") as one:
            time.sleep(chance.random() * uninterrupted.seconds / 2)
            run(
                url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'reviews-gateway etl%'",
            )
            code = one.wait(60)
            cuts += 1
            printed = told(one.stderr)
        assert (code, "Traceback" in printed) in {(2, False), (0, False)}, printed

    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        assert one.wait(60) == 0
    assert dump(url) == uninterrupted.dump


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder with 400 MB of its own, which PostgreSQL's user can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk, and a large one cannot be filled")
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


def test_a_full_disk_is_one_sentence_and_the_load_carries_on(
    uninterrupted: Uninterrupted, left_by_embedded: dict[str, list[str]], small_disk: Path
) -> None:
    embedded = EmbeddedPostgres.of(small_disk / "state")
    with embedded.running() as url:
        migrate(url, Settings())
        filling = small_disk / "filling"
        disk = os.statvfs(small_disk)
        filling.write_bytes(bytes(disk.f_bavail * disk.f_frsize - (2 << 20)))
        with loading(url, uninterrupted.folder, small_disk / "state") as one:
            code = one.wait(60)
            printed = told(one.stderr)
        filling.unlink()
    assert (code, "Traceback" in printed) == (2, False), printed
    assert "No space left on device" in printed
    assert "run the same command again, which carries on" in printed

    with embedded.running() as url:
        with loading(url, uninterrupted.folder, small_disk / "state") as one:
            assert one.wait(60) == 0, told(one.stderr)
        assert dump(url) == left_by_embedded


def test_readers_see_the_catalogue_before_or_after_and_nothing_between(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path
) -> None:
    url = databases.migrated()
    tables = ("products", "characteristics", "reviews", "photos", "ratings", "product_figures")
    query = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    seen: set[tuple[int, ...]] = set()
    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        while one.poll() is None:
            seen.add(tuple(rows(url, query)[0]))

    whole = tuple(len(uninterrupted.dump[table]) for table in tables)
    assert seen <= {(0,) * len(tables), whole}
    assert tuple(rows(url, query)[0]) == whole


def test_a_gateway_answers_through_the_switch(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path
) -> None:
    url = databases.migrated()
    settings = Settings(database_url=url, state=tmp_path / "state")  # type: ignore[arg-type]
    answers: set[str] = set()
    over = threading.Event()
    with running_gateway(settings) as gateway:
        asking = threading.Thread(target=_ask, args=(gateway, answers, over))
        asking.start()
        try:
            load_folder(url, uninterrupted.folder, settings)
        finally:
            over.set()
            asking.join()
        name = gateway.data("{ product(id: 1) { name } }")["product"]["name"]

    assert answers <= {"None", str({"name": name})}
    assert "None" in answers


def _ask(gateway: Gateway, answers: set[str], over: threading.Event) -> None:
    while not over.is_set():
        answers.add(str(gateway.data("{ product(id: 1) { name } }")["product"]))


def test_an_interrupted_load_of_other_files_is_forgotten(
    uninterrupted: Uninterrupted, databases: Databases, tmp_path: Path, settings: Settings
) -> None:
    url = databases.migrated()
    with loading(url, uninterrupted.folder, tmp_path / "state") as one:
        while not value(url, "SELECT count(*) FROM load_chunks WHERE part = 'reviews'"):
            assert one.poll() is None

    report = load_folder(url, write_folder(tmp_path / "folder"), settings)

    assert report.carried_on == ""
    assert [file.loaded for file in report.files] == [2, 3, 3, 2, 5]
    assert value(url, "SELECT count(*) FROM ratings") == 5
    assert value(url, "SELECT to_regnamespace('incoming') IS NULL")
    assert value(url, "SELECT count(*) FROM load_progress") == 0
