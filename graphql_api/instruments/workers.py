"""The figures of all processes behind one port, whichever of them a scrape reaches.

Each leaves its numbers in a file of its own once a second, and before it answers a scrape; the answer is the sum of
the files. So what was once told is in a file, and no later scrape, of whatever process, tells less: to Prometheus a
counter that falls has started again at zero. The file of a process that has ended stays: its counts stay true. What
its gauges said does not, and is left out once the file is old.

prometheus-client's own way writes every number into a mapped file as it is counted, with a lock and a look-up each.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import orjson
from prometheus_client import Metric
from prometheus_client.registry import Collector

from graphql_api.errors import OperatorError
from graphql_api.instruments.families import Family, Rows, added
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

WRITE_SECONDS = 1.0
LIVING_SECONDS = 5.0
"""A file that was not written for so long is one of a process that has ended."""
FOLDER = "REVIEWS_METRICS_FOLDER"


@contextlib.contextmanager
def shared_folder(settings: Settings) -> Iterator[None]:
    """Let the processes that this one starts meanwhile find a folder in their environment, if they need one.

    Raises ``OperatorError`` where none can be made.
    """
    if settings.workers == 1 or not settings.metrics or settings.metrics_folder is not None:
        yield
        return
    try:
        made = TemporaryDirectory(prefix="reviews-metrics-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OperatorError(
            f"No folder for the counts of several processes can be made ({error.strerror}): name one with {FOLDER}, "
            "or set REVIEWS_METRICS=false."
        ) from error
    with made as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


class Collected(Collector):
    """What a scrape tells of ``families``: those of this process, or of all that write to ``folder``.

    It writes there for the time of its context.
    """

    def __init__(self, families: Sequence[Family], folder: Path | None) -> None:
        self._families = families
        # A later process may get the number of one that has ended.
        self._file = None if folder is None else folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to write."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._writing = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Write what was counted until now, and no more."""
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing
            self._try_to_write()

    def collect(self) -> Iterator[Metric]:
        """The families with their numbers."""
        if self._file is None:
            for family in self._families:
                yield family.metric(family.rows())
            return
        self._write()
        found = list(_read(self._file.parent))
        for family in self._families:
            rows: Rows = {}
            for is_living, told in found:
                if is_living or family.is_lasting:
                    added(rows, ((tuple(labels), values) for labels, values in told.get(family.name, ())))
            yield family.metric(rows)

    async def _write_on(self) -> None:
        while True:
            self._try_to_write()
            await asyncio.sleep(WRITE_SECONDS)

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            logger.warning("The counts of this process cannot be left for the others: %s", error.strerror)

    def _write(self) -> None:
        assert self._file is not None, "it was given a folder"
        told = {family.name: list(family.rows().items()) for family in self._families}
        # Whoever reads meanwhile reads the last one: a name changes hands at once.
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_bytes(orjson.dumps(told))
        unfinished.replace(self._file)


def _read(folder: Path) -> Iterator[tuple[bool, dict[str, Any]]]:
    """What each process has told, and whether it still does."""
    now = time.time()
    for file in sorted(folder.glob("*.json")):
        yield now - file.stat().st_mtime < LIVING_SECONDS, orjson.loads(file.read_bytes())
