"""A PostgreSQL of a test's own, with a made-up shop in it, that may be hurt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.settings import Settings


class Server:
    """``url`` is its address past every proxy."""

    def __init__(self, embedded: EmbeddedPostgres, url: str) -> None:
        self.embedded = embedded
        self.url = url
        self.socket = str(embedded.socket / ".s.PGSQL.5432")

    def stop(self, mode: str = "fast") -> None:
        """End it as an operator does."""
        self.embedded._run("pg_ctl", "stop", "-D", str(self.embedded.data), "-m", mode, "-w")

    def is_there(self) -> bool:
        """Whether it has not ended."""
        return not self.embedded.has_ended()

    def accepts(self) -> bool:
        """Whether it takes connections."""
        done = self.embedded._run("pg_isready", "-h", str(self.embedded.socket), check=False)
        return done.returncode == 0

    def start(self) -> None:
        """Start it; it accepts connections then."""
        self.embedded._start()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes, the first of them first."""
        first = int((self.embedded.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    async def execute(self, *statements: str) -> None:
        """Run statements past the gateway, each by itself."""
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def take_connections(self, taken: list[asyncpg.Connection]) -> None:
        """Take every connection there is, those of the gateway, too."""
        keeper = await asyncpg.connect(self.url)
        taken.append(keeper)
        while True:
            await keeper.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'reviews-gateway%'"
            )
            more = await asyncio.gather(*(asyncpg.connect(self.url) for _ in range(20)), return_exceptions=True)
            taken += [one for one in more if isinstance(one, asyncpg.Connection)]
            left = await keeper.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'reviews-gateway%'"
            )
            if not left and any(isinstance(one, asyncpg.TooManyConnectionsError) for one in more):
                return

    @contextlib.contextmanager
    def wal_apart(self, spare_mib: int) -> Iterator[Path]:
        """Its log on a volume with so many MiB to spare, whose folder this is, for that time. Needs root."""
        folder = self.embedded.data.parent / f"{self.embedded.data.name}-wal"
        wal = self.embedded.data / "pg_wal"
        self.stop()
        folder.mkdir()
        # How much log there is depends on the writes before.
        size = _mib_of(wal) + spare_mib
        _run("mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", str(folder))
        try:
            _run("cp", "-a", f"{wal}/.", str(folder))
            _run("chown", "--reference", str(self.embedded.data), str(folder))
            shutil.rmtree(wal)
            wal.symlink_to(folder)
            self.start()
            yield folder
        finally:
            if self.is_there():
                self.stop()
            if wal.is_symlink():
                wal.unlink()
                _run("cp", "-a", str(folder), str(wal))
            _run("umount", "-l", str(folder))
            folder.rmdir()
        self.start()

    @contextlib.contextmanager
    def data_apart(self, spare_mib: int) -> Iterator[Path]:
        """All but its log on a volume with so many MiB to spare, whose folder this is, for that time. Needs root."""
        data = self.embedded.data
        roomy = data.with_name(f"{data.name}-roomy")
        self.stop()
        data.rename(roomy)
        data.mkdir()
        size = _mib_of(roomy, "--exclude=pg_wal") + spare_mib
        _run("mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", str(data))
        try:
            _move(roomy, data)
            (data / "pg_wal").symlink_to(roomy / "pg_wal")
            _run("chown", "--reference", str(roomy), str(data))
            self.start()
            yield data
        finally:
            (data / "filler").unlink(missing_ok=True)
            if self.is_there():
                self.stop("immediate")
            (data / "pg_wal").unlink()
            _move(data, roomy)
            _run("umount", "-l", str(data))
            data.rmdir()
            roomy.rename(data)
        self.start()


def _mib_of(folder: Path, *options: str) -> int:
    used = subprocess.run(["du", "-sm", *options, str(folder)], check=True, capture_output=True, text=True)
    return int(used.stdout.split()[0])


def _move(here: Path, there: Path) -> None:
    """Move what is in a folder, but for the log."""
    _run("cp", "-a", *(str(one) for one in here.iterdir() if one.name != "pg_wal"), str(there))
    for one in here.iterdir():
        if one.name != "pg_wal":
            shutil.rmtree(one) if one.is_dir() else one.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def server(place: Path, products: int) -> Iterator[Server]:
    """One with so many products, for the time of the context."""
    embedded = EmbeddedPostgres.of(place)
    try:
        with embedded.running() as url:
            settings = Settings(database_url=url, state=place)
            migrate(url, settings)
            generate_folder(place / "csv", products=products, seed=7)
            load_folder(url, place / "csv", settings)
            yield Server(embedded, url)
    finally:
        shutil.rmtree(embedded.data, ignore_errors=True)
