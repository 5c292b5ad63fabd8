"""Whether this replica may be sent requests.

Each edge asks four times a second, so a good answer is remembered for a moment, a bad one never. The look has a
connection of its own: a pool in full use would make a busy replica look like a broken one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import asyncpg

from graphql_api.db.availability import Availability
from graphql_api.db.engine import AWAY, check_revision, connect_for_checks
from graphql_api.db.rights import rights_of
from graphql_api.errors import DatabaseUnavailableError
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

REMEMBERED_S = 0.5
"""A good look is good for so long: two edges cost two statements a second."""

LOOK_S = 0.8
"""A look that takes longer has found nothing: whoever asks has the answer within a second."""

SILENT_LOOKS = 2
"""After so many looks in a row without a word, requests are refused, and no longer each waits for its deadline."""

AGAIN_S = 0.25
_RIGHTS_SHOWN = 5
WARM_S = 2.0


class Readiness:
    """Looks at the database of ``url`` for the time of its context, in which it waits for it to be usable.

    Ready is what has once found the database at the revision of this build or after it, and has run ``warm``; finds
    it so now; and is not ``draining``. ``availability`` is told of a database that is silent.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        draining: asyncio.Event,
        warm: Callable[[], Awaitable[None]],
        availability: Availability,
    ) -> None:
        self._url = url
        self._settings = settings
        self._draining = draining
        self._warm = warm
        self._availability = availability
        self._silent = 0
        self._connection: asyncpg.Connection | None = None
        self._good_until = 0.0
        self._missing: str | None = "The gateway starts."
        self._said_more = False
        self._looking: asyncio.Task[str | None] | None = None
        self._waiting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Look once, so that a replica on a good database is ready with its first answer; else wait beside."""
        self._missing = await self._begin()
        if self._missing is not None:
            logger.warning("Not ready: %s It is waited for.", self._missing)
            self._waiting = asyncio.create_task(self._wait())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Look no more."""
        for task in (self._waiting, self._looking):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._drop()

    def require(self) -> None:
        """Raise ``DatabaseUnavailableError`` until the database was usable once."""
        if self._missing is not None:
            raise DatabaseUnavailableError(self._missing)

    async def reason(self) -> str | None:
        """Why this replica is not ready, or ``None``. Whoever asks together shares one look."""
        if self._draining.is_set():
            return "draining"
        if self._missing is not None:
            return self._missing
        if asyncio.get_running_loop().time() < self._good_until:
            return None
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        found = await asyncio.shield(self._looking)
        return "draining" if self._draining.is_set() else found

    async def _wait(self) -> None:
        while self._missing is not None:
            await asyncio.sleep(AGAIN_S)
            missing = await self._begin()
            if missing not in {None, self._missing}:
                logger.warning("Not ready: %s It is waited for.", missing)
            self._missing = missing
        logger.info("Ready.")

    async def _begin(self) -> str | None:
        missing = await self._look() or await self._look_at_rights()
        if missing is not None:
            return missing
        try:
            async with asyncio.timeout(WARM_S):
                await self._warm()
        except AWAY:
            # What is slow or wrong in a sample is told to the request that asks for it.
            return await self._look()
        return None

    async def _look(self) -> str | None:
        try:
            async with asyncio.timeout(LOOK_S):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect_for_checks(self._url, self._settings)
                await check_revision(self._connection)
        except DatabaseUnavailableError as error:
            return str(error)
        except AWAY as error:
            self._drop()
            self._silent = self._silent + 1 if isinstance(error, TimeoutError) else 0
            if self._silent >= SILENT_LOOKS and self._missing is None:
                self._availability.lost(f"silent for {self._silent} looks")
            return "The database does not answer."
        self._silent = 0
        self._good_until = asyncio.get_running_loop().time() + REMEMBERED_S
        return None

    async def _look_at_rights(self) -> str | None:
        """Which rights the role lacks; that it has more than it needs is said once, and is no reason."""
        assert self._connection is not None
        try:
            async with asyncio.timeout(LOOK_S):
                rights = await rights_of(self._connection)
        except AWAY:
            self._drop()
            return "The database does not answer."
        if rights.missing:
            lacking = ", ".join(rights.missing[:_RIGHTS_SHOWN])
            return f"The role {rights.role} lacks {lacking}: run reviews db grant {rights.role} as the tables' owner."
        if rights.more and not self._said_more:
            self._said_more = True
            logger.warning(
                "The role %s %s: run reviews db grant with another name, and let the gateway be that role.",
                rights.role,
                " and ".join(rights.more),
            )
        return None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
