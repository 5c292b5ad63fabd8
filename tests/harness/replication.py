"""A primary and standbys of it that really stream, all embedded servers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from graphql_api.db.embedded import EmbeddedPostgres
from tests.harness.databases import run, value


class Standby:
    """One standby of ``primary``, made with ``pg_basebackup``. ``url`` is the address of the gateway's database."""

    def __init__(self, primary: EmbeddedPostgres, folder: Path) -> None:
        self.server = EmbeddedPostgres.of(folder)
        self.url = self.server.url
        self.server.data.mkdir(mode=0o700)
        self.server._give(self.server.data)
        copied = ("-D", str(self.server.data), "-h", str(primary.socket), "-U", "postgres")
        self.server._run("pg_basebackup", *copied, "-R", "-X", "stream", "-c", "fast")
        for of_primary in self.server.data.glob(".s.PGSQL.*"):
            of_primary.unlink()

    def start(self) -> None:
        self.server._start()

    def stop(self, mode: str = "immediate") -> None:
        self.server._run("pg_ctl", "stop", "-D", str(self.server.data), "-m", mode, "-w", check=False)

    def pause(self) -> None:
        """Replay no more, until ``resume``."""
        run(self.url, "SELECT pg_wal_replay_pause()")
        while value(self.url, "SELECT pg_get_wal_replay_pause_state()") != "paused":
            pass

    def resume(self) -> None:
        run(self.url, "SELECT pg_wal_replay_resume()")


@contextmanager
def replicated(folder: Path, count: int) -> Iterator[tuple[EmbeddedPostgres, list[Standby]]]:
    """A primary and ``count`` standbys in ``folder``, for the time of the context."""
    primary = EmbeddedPostgres.of(folder / "primary")
    standbys: list[Standby] = []
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, primary.data, ignore_errors=True)
        ending.enter_context(primary.running())
        for number in range(count):
            standby = Standby(primary, folder / f"standby{number}")
            standbys.append(standby)
            ending.callback(shutil.rmtree, standby.server.data, ignore_errors=True)
            ending.callback(standby.stop)
            standby.start()
        yield primary, standbys
