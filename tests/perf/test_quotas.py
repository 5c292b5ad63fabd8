"""CPU quotas, on the control groups of this machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from perf.ladder.quotas import NoQuotasError, Quotas, quotas


@pytest.fixture
def limits() -> Iterator[Quotas]:
    """Control groups of this test."""
    try:
        with quotas() as made:
            yield made
    except NoQuotasError as error:
        pytest.skip(str(error))


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    """A process that wants one core."""
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.mark.edge
def test_a_group_uses_what_its_quota_lets_it_have(limits: Quotas, busy: psutil.Process) -> None:
    group = limits.group("busy", 0.2, [busy.pid])
    before = busy.cpu_times()
    time.sleep(1)
    used = busy.cpu_times()
    assert (used.user + used.system) - (before.user + before.system) == pytest.approx(0.2, abs=0.05)
    wanted, held = group.periods()
    assert held / wanted > 0.9


@pytest.mark.edge
def test_nothing_of_it_is_left(busy: psutil.Process) -> None:
    try:
        with quotas() as made:
            made.group("busy", 0.2, [busy.pid])
            folder = made.folder
    except NoQuotasError as error:
        pytest.skip(str(error))
    assert not folder.exists()
    assert busy.is_running()


@pytest.mark.edge
def test_a_run_that_was_killed_leaves_no_limit_behind(busy: psutil.Process) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    try:
        with quotas() as made:
            abandoned = made.folder.with_name(f"reviews-ladder-{ended.pid}")
    except NoQuotasError as error:
        pytest.skip(str(error))
    (abandoned / "postgresql").mkdir(parents=True)
    (abandoned / "postgresql" / "cgroup.procs").write_text(str(busy.pid))

    with quotas():
        assert not abandoned.exists()
        assert busy.is_running()


def test_where_there_are_no_control_groups_it_says_what_to_do(tmp_path: Path) -> None:
    sentence = r"has no control groups that limit CPU. Run it without quotas: --no-quota"
    with pytest.raises(NoQuotasError, match=sentence), quotas(tmp_path):
        pass
