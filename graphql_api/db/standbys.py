"""Read replicas of the database: standbys that replay the primary's log, each used where it has replayed enough.

What must have been replayed comes with the request, as a place in the log (LSN). A standby's own place only grows while
it runs, so what was once seen holds: the usual request asks nothing. Where the place is not known to be reached, one
statement a millisecond looks for all who wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import asyncpg

from graphql_api.db.engine import AWAY, check_revision, connect_for_checks, create_pool
from graphql_api.errors import DatabaseUnavailableError
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

WAIT_S = 0.02
"""A request waits so long for a standby to reach its place, and then asks the primary."""

ANSWER_S = 1.0
"""A standby that takes longer for a request is left out, and the primary asked."""

FAULTS = AWAY
"""What a read from a standby may come to. The primary does better: it has no conflicts with a replay."""

LOOK_S, LOOK_BEHIND_S, LOOK_WAITED_FOR_S = 0.5, 0.02, 0.001
"""Seconds between two looks at a standby: of which nobody wants anything, that came too late, that is waited for."""

LEFT_OUT_S = 2.0
BEHIND_S = 1.0
_ANSWERS_S = 0.8
_LSN = re.compile(rb"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_IDENTITY = """
    SELECT (SELECT system_identifier FROM pg_control_system()),
           (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PLACE = """
    SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint, pg_postmaster_start_time()
"""


@lru_cache(maxsize=64)  # one for each edge, until its next change
def lsn_of(text: bytes) -> int | None:
    """A place in the log as PostgreSQL writes it, ``0/1A2B3C``, as a number; ``None`` for anything else."""
    found = _LSN.fullmatch(text)
    return None if found is None else int(found[1], 16) << 32 | int(found[2], 16)


def named(url: str) -> str:
    """Host and database of ``url``, for the log: who logs in is no matter of it, and would be masked with the host."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", ()))
    return f"{host}{parts.path}"


class Standby:
    """One standby, looked at by a task of its own. ``replayed`` is the place it is known to have reached."""

    def __init__(self, url: str, primary: Primary, settings: Settings) -> None:
        self.replayed = 0
        self.name = named(url)
        self.usable = False
        self.reads: asyncpg.Pool
        self._url = url
        self._primary = primary
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._started: datetime | None = None
        self._said: str | None = None
        self._left_out_until = 0.0
        self._missed, self._missed_until = 0, 0.0
        self._wanted = asyncio.Event()
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []

    async def open(self) -> None:
        """Make the pool. Nothing is connected."""
        self.reads = await create_pool(
            self._url, self._settings, name="reviews-gateway standby reads", init=self._check_same
        )

    async def watch(self) -> None:
        """Look at the standby until this task is cancelled."""
        try:
            while True:
                await self._look()
                if self._waiting:
                    await asyncio.sleep(LOOK_WAITED_FOR_S)
                    continue
                self._wanted.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_BEHIND_S if self._is_behind() else LOOK_S):
                        await self._wanted.wait()
        finally:
            self._drop()

    @property
    def keeps_up(self) -> bool:
        """Whether it is worth waiting for: it is usable, and has reached the place that it came too late to."""
        return self.usable and not self._is_behind()

    def _is_behind(self) -> bool:
        # For a second only: who says a place that no server will ever reach must not spoil it for others.
        return self.replayed < self._missed and asyncio.get_running_loop().time() < self._missed_until

    async def reaches(self, lsn: int) -> bool:
        """Whether it has replayed the log up to ``lsn``, now or in 20 ms."""
        if self.replayed >= lsn:
            return True
        reached: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((lsn, reached))
        self._wanted.set()
        try:
            async with asyncio.timeout(WAIT_S):
                return await reached
        except TimeoutError:
            self._missed, self._missed_until = lsn, asyncio.get_running_loop().time() + BEHIND_S
            return False
        finally:
            self._waiting = [one for one in self._waiting if one[1] is not reached]

    def leave_out(self, error: BaseException) -> None:
        """Use it no more for two seconds, and then when it is found in order."""
        if self.usable:
            self._say(f"is left out: {type(error).__name__}")
        self.usable = False
        self._left_out_until = asyncio.get_running_loop().time() + LEFT_OUT_S

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(_ANSWERS_S):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                in_recovery, replayed, started = await self._connection.fetchrow(_PLACE)
        except DatabaseUnavailableError as error:
            self._refuse(f"is refused: {error}")
            return
        except AWAY as error:
            self._refuse(f"is left out: {type(error).__name__}")
            return
        if not in_recovery:
            self._refuse("is refused: it replays no primary's log; it was promoted, or never was a standby.")
            return
        self._started = started
        self.replayed = replayed
        for lsn, reached in self._waiting:
            if replayed >= lsn and not reached.done():
                reached.set_result(True)
        if not self.usable and asyncio.get_running_loop().time() >= self._left_out_until:
            self.usable = True
            if self._said is not None:
                self._said = None
                logger.info("The standby %s is in use again.", self.name)

    async def _connect(self) -> asyncpg.Connection:
        connection = await connect_for_checks(self._url, self._settings)
        try:
            # asyncpg's rows are no tuples.
            if tuple(await connection.fetchrow(_IDENTITY)) != await self._primary.identity():
                raise DatabaseUnavailableError("it is of another database than DATABASE_URL.")  # noqa: TRY301
            await check_revision(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _check_same(self, connection: asyncpg.Connection) -> None:
        """Refuse a connection of the pool to another run of the server: after a start it may be further back."""
        _, _, started = await connection.fetchrow(_PLACE)
        if started != self._started:
            raise asyncpg.InterfaceError("the standby has restarted")

    def _refuse(self, said: str) -> None:
        self.usable = False
        self.replayed = 0
        self._started = None
        self._drop()
        for _, reached in self._waiting:
            if not reached.done():
                reached.set_result(False)
        self._say(said)

    def _say(self, said: str) -> None:
        if said != self._said:
            self._said = said
            logger.warning("The standby %s %s", self.name, said)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class Primary:
    """What tells the primary's system and database from others, asked once."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._identity: tuple[int, int] | None = None

    async def identity(self) -> tuple[int, int]:
        """The system's identifier and the database's number, which its standbys share."""
        if self._identity is None:
            connection = await connect_for_checks(self._url, self._settings)
            try:
                system, database = await connection.fetchrow(_IDENTITY)
            finally:
                await connection.close()
            self._identity = system, database
        return self._identity


class Standbys:
    """The standbys of REVIEWS_REPLICA_URLS, open for the time of the context."""

    def __init__(self, url: str, settings: Settings) -> None:
        primary = Primary(url, settings)
        self.all = [Standby(one, primary, settings) for one in settings.replica_urls]
        self._turn = 0
        self._watching: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin to look at them."""
        for standby in self.all:
            await standby.open()
        self._watching = [asyncio.create_task(standby.watch()) for standby in self.all]
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Look no more, and close their pools."""
        for task in self._watching:
            task.cancel()
        if self._watching:
            await asyncio.wait(self._watching)
        for standby in self.all:
            # All that reads from it can be asked of the primary: nothing is waited for.
            standby.reads.terminate()

    async def that_reached(self, lsn: int) -> Standby | None:
        """A standby that has replayed the log up to ``lsn``, in turns; ``None`` where the primary must be asked."""
        self._turn += 1
        count = len(self.all)
        best: Standby | None = None
        for place in range(count):
            standby = self.all[(self._turn + place) % count]
            if standby.usable and standby.replayed >= lsn:
                return standby
            if standby.keeps_up and (best is None or standby.replayed > best.replayed):
                best = standby
        return best if best is not None and await best.reaches(lsn) else None
