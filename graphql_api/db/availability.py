"""Whether PostgreSQL is there at all, known without asking it for each request.

Who finds that it takes no connections, or is silent, says so here. From then on every request is refused at once, and
one connection after another is tried until one is answered.
"""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from graphql_api.db.engine import connect_for_checks, is_refused, root_of
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

AGAIN_S = 0.1
"""Seconds between two tries: as much later than it could be is a request answered again, at the most."""

ANSWER_S = 0.8
"""A try that takes longer has found nothing."""


class Availability:
    """Of the server of ``settings.database_url``, for one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trying: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Whether it was found away, and no try has been answered since."""
        return self._trying is not None

    def lost(self, why: str) -> None:
        """It takes no connections, or is silent."""
        if self._trying is None:
            logger.warning("The database is away: %s. Requests are refused until it answers.", why)
            self._trying = asyncio.create_task(self._try())

    async def close(self) -> None:
        """Try no more."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait([self._trying])

    async def _try(self) -> None:
        try:
            while not await self._answers():  # noqa: ASYNC110 - nobody else would say when
                await asyncio.sleep(AGAIN_S)
            logger.warning("The database answers again.")
        finally:
            self._trying = None

    async def _answers(self) -> bool:
        url = self._settings.database_url
        assert url is not None, "an application has one"
        try:
            async with asyncio.timeout(ANSWER_S):
                connection = await connect_for_checks(url, self._settings)
                try:
                    await connection.execute("SELECT 1")
                finally:
                    connection.terminate()
        except Exception as error:  # noqa: BLE001 - any other word of the server's is an answer
            return not (is_refused(error) or isinstance(root_of(error), _SILENT))
        return True


_SILENT = (OSError, TimeoutError, asyncpg.PostgresConnectionError)
