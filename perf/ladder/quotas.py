"""CPU quotas by control groups of Linux: ``cpu.max`` of version 2, or ``cpu.cfs_quota_us`` of version 1."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphql_api.errors import OperatorError

PERIOD_US = 10_000
"""A part that has used its share of these microseconds waits for the next ones. The kernel's default of 100,000 would
show in every latency."""
_NAME = "reviews-ladder-"
SYSTEM = Path("/sys/fs/cgroup")


class NoQuotasError(OperatorError):
    """CPU quotas cannot be had here."""


class Group:
    """The processes that share so many cores. ``folder`` is the control group, made with the object."""

    def __init__(self, folder: Path, *, version: int) -> None:
        self.folder = folder
        self.version = version
        folder.mkdir()

    def limit(self, cores: float) -> None:
        """Let its processes have no more than so many cores together. Raises ``OSError``."""
        quota_us = round(cores * PERIOD_US)
        if self.version == 2:
            (self.folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        else:
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota_us))

    def take(self, processes: Iterable[int]) -> None:
        """Take these processes in; those that they start follow by themselves. One that has ended is left out."""
        _move(processes, self.folder)

    def periods(self) -> tuple[int, int]:
        """How many periods there were so far in which it wanted CPU, and in how many of them its share was used up."""
        told = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(told["nr_periods"]), int(told["nr_throttled"])

    def close(self) -> None:
        """Let its processes go where they have no limit, and remove the group."""
        _release(self.folder, self.folder.parent.parent)


class Quotas:
    """The control groups of one run, below a folder of their own."""

    def __init__(self, top: Path, *, version: int) -> None:
        self.version = version
        self.folder = top / f"{_NAME}{os.getpid()}"
        self._groups: list[Group] = []

    def group(self, name: str, cores: float, processes: Iterable[int]) -> Group:
        """Let these processes have no more than so many cores together."""
        group = Group(self.folder / name, version=self.version)
        self._groups.append(group)
        group.limit(cores)
        group.take(processes)
        return group

    def release(self) -> None:
        """Lift every limit."""
        while self._groups:
            self._groups.pop().close()


@contextmanager
def quotas(system: Path = SYSTEM) -> Iterator[Quotas]:
    """Control groups until the end of the context. Raises ``NoQuotasError`` where they cannot be made."""
    top, version = _hierarchy(system)
    made = Quotas(top, version=version)
    try:
        _sweep(top)
        made.folder.mkdir()
        if version == 2:
            for folder in (top, made.folder):
                (folder / "cgroup.subtree_control").write_text("+cpu")
        made.group("try", 1, ())
        made.release()
    except OSError as error:
        with suppress(OSError):
            made.release()
            made.folder.rmdir()
        raise NoQuotasError(
            f"CPU quotas cannot be had: {error.filename or top} cannot be written ({error.strerror}). Run it as root "
            "where control groups are writable, or without quotas: --no-quota."
        ) from error
    try:
        yield made
    finally:
        made.release()
        made.folder.rmdir()


def _hierarchy(system: Path) -> tuple[Path, int]:
    """The folder of the control groups that can limit CPU, and their version."""
    controllers = system / "cgroup.controllers"
    if controllers.exists() and "cpu" in controllers.read_text().split():
        return system, 2
    for name in ("cpu", "cpu,cpuacct"):
        if (system / name / "cgroup.procs").exists():
            return system / name, 1
    raise NoQuotasError(
        f"CPU quotas cannot be had: {system} has no control groups that limit CPU. Run it without quotas: --no-quota."
    )


def _sweep(top: Path) -> None:
    """Lift the limits of a run that was killed: PostgreSQL outlives it, and would keep its quota."""
    for folder in top.glob(f"{_NAME}*"):
        if not Path(f"/proc/{folder.name.removeprefix(_NAME)}").exists():
            for group in (path for path in folder.iterdir() if path.is_dir()):
                _release(group, top)
            folder.rmdir()


def _release(group: Path, top: Path) -> None:
    _move((int(process) for process in (group / "cgroup.procs").read_text().split()), top)
    group.rmdir()


def _move(processes: Iterable[int], folder: Path) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            (folder / "cgroup.procs").write_text(str(process))
