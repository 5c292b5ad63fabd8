"""Several processes behind one port: whichever is asked tells what all have counted, and never less than before."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client import Metric

from graphql_api.errors import OperatorError
from graphql_api.instruments.families import Counter, Family, Gauge
from graphql_api.instruments.workers import FOLDER, LIVING_SECONDS, Collected, shared_folder
from graphql_api.settings import Settings
from tests.harness.gateway import Gateway
from tests.harness.processes import Running, serving, wait_for
from tests.harness.scraping import scraped

ASKED = ("reviews_requests_total", "ad hoc", "ok")
QUERY = {"query": "{ product(id: 1) { name } }"}


@contextmanager
def two_workers(url: str, **more: str) -> Iterator[tuple[Running, str]]:
    """``reviews serve`` with two workers, and its address."""
    given = {"DATABASE_URL": url, "REVIEWS_DRAIN_SECONDS": "0", "REVIEWS_WORKERS": "2", **more}
    with serving(**given) as running:
        yield running


def asked(address: str, count: int) -> None:
    """Ask so often, each time over a connection of its own, so that both workers get some."""
    for _ in range(count):
        assert "errors" not in httpx.post(f"{address}/graphql", json=QUERY).json()


def counted(address: str) -> float:
    with httpx.Client(base_url=address) as client:
        return scraped(client).get(ASKED, 0)


def workers_of(running: Running) -> list[psutil.Process]:
    return [one for one in psutil.Process(running.process.pid).children() if "spawn_main" in " ".join(one.cmdline())]


def test_a_scrape_sums_both_workers_and_no_counter_falls_when_one_dies(gateway: Gateway, tmp_path: Path) -> None:
    with two_workers(gateway.database, REVIEWS_METRICS_FOLDER=str(tmp_path)) as (running, address):
        asked(address, 60)
        told = []
        wait_for(lambda: told.append(counted(address)) or told[-1] == 60)
        asked(address, 20)
        wait_for(lambda: told.append(counted(address)) or told[-1] == 80)
        assert told == sorted(told)
        both = {file.name.partition("-")[0] for file in tmp_path.glob("*.json")}
        workers = workers_of(running)
        assert both == {str(worker.pid) for worker in workers}
        # Those that were told are in its file.
        workers[0].kill()
        wait_for(lambda: len(list(tmp_path.glob("*.json"))) == 3)
        assert [counted(address) for _ in range(8)] == [80] * 8
        asked(address, 10)
        wait_for(lambda: counted(address) == 90)


def test_the_folder_is_made_for_several_workers_and_removed(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with two_workers(gateway.database) as (running, address):
        asked(address, 4)
        wait_for(lambda: counted(address) == 4)
        (folder,) = tmp_path.glob("reviews-metrics-*")
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
        assert running.end(signal.SIGTERM) == 0
    assert list(tmp_path.glob("reviews-metrics-*")) == []


@pytest.mark.parametrize("settings", [Settings(), Settings(workers=2, metrics=False)])
def test_who_needs_no_folder_gets_none(settings: Settings) -> None:
    with shared_folder(settings):
        assert FOLDER not in os.environ


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(OperatorError) as refused, shared_folder(Settings(workers=2)):
        pass
    assert str(refused.value) == (
        "No folder for the counts of several processes can be made (No such file or directory): "
        "name one with REVIEWS_METRICS_FOLDER, or set REVIEWS_METRICS=false."
    )


def families(count: int, gauge: float) -> list[Family]:
    """What one process counts."""
    counter = Counter("asked_total", "What was asked.")
    counter.cell().value = count
    return [counter, Gauge("open", "What is open.", (), lambda: {(): [gauge]})]


def values(metrics: Iterator[Metric]) -> list[float]:
    return [sample.value for metric in metrics for sample in metric.samples]


def test_the_counts_of_a_process_that_has_ended_stay_and_its_gauges_go(tmp_path: Path) -> None:
    async def left(count: int, gauge: float) -> None:
        async with Collected(families(count, gauge), tmp_path):
            pass

    asyncio.run(left(3, 2))
    (file,) = tmp_path.glob("*.json")
    here = Collected(families(4, 5), tmp_path)
    assert values(here.collect()) == [7, 7]
    old = time.time() - LIVING_SECONDS - 1
    os.utime(file, (old, old))
    assert values(here.collect()) == [7, 5]


def test_alone_a_process_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def told() -> list[float]:
        async with Collected(families(3, 2), None) as here:
            return values(here.collect())

    assert asyncio.run(told()) == [3, 2]
    assert list(tmp_path.iterdir()) == []
