"""Group commit: what is to be written at the same moment is written in one transaction, whose flush serves all.

Alone, a request waits for nothing. While a transaction is under way, others collect for the next one. Whatever ends one
before its commit leaves nothing written, and then each who was in it writes alone: the group saves time, and nothing
that anybody is told depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql_api.db.writes import ConnectionsTakenError, Writes
from graphql_api.mutations.transaction import Transaction, transaction_until

logger = logging.getLogger("reviews")

MOST_TOGETHER = 64
"""In one transaction: enough that its flush costs each little, and few enough that nobody waits long for the others."""

MOST_UNDER_WAY = 2
"""Transactions of a group at a time: Python makes one ready while PostgreSQL works at the other."""

Asked = TypeVar("Asked")
Done = TypeVar("Done")
Act = Callable[[Transaction, Sequence[Asked]], Awaitable[Sequence[Done | None]]]
"""Writes for all who ask, in their order, and waits for no lock: ``None`` for whom it wrote nothing."""


@dataclass(slots=True)
class _Member(Generic[Asked, Done]):
    """One who wants something written; ``waits`` bounds the time until its transaction begins."""

    asked: Asked
    future: asyncio.Future[Done | None]
    deadline: float | None
    waits: asyncio.Timeout


class GroupCommit(Generic[Asked, Done]):
    """Those who want ``act`` on the connections of ``writes``."""

    def __init__(self, writes: Writes, act: Act[Asked, Done]) -> None:
        self._writes = writes
        self._act = act
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Member[Asked, Done]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def join(self, asked: Asked, deadline: float | None) -> Done | None:
        """What became of ``asked``, committed; ``None`` where nothing was written, and it is to be written alone.

        ``deadline`` is in the time of the loop. Raises ``ConnectionsTakenError``, and whatever came of a commit that
        had begun: ``StatementTimeoutError``, or the loss of its connection.
        """
        future: asyncio.Future[Done | None] = self._loop.create_future()
        try:
            async with asyncio.timeout_at(deadline) as limit:
                self._waiting.append(_Member(asked, future, deadline, limit))
                self._schedule()
                return await future
        except TimeoutError:
            if limit.expired():
                return None
            raise

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled and len(self._tasks) < MOST_UNDER_WAY:
            # At the end of this turn of the loop: what else becomes ready in it goes along.
            self._scheduled = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._scheduled = False
        taken = self._waiting[:MOST_TOGETHER]
        del self._waiting[: len(taken)]
        taken = [one for one in taken if not one.future.done()]
        for one in taken:
            one.waits.reschedule(None)  # from now on the transaction knows
        if taken:
            task = self._loop.create_task(self._run(taken))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        self._schedule()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._schedule()

    @classmethod
    def of(cls, writes: Writes, act: Act[Asked, Done]) -> GroupCommit[Asked, Done]:
        """The one of this process."""
        group: GroupCommit[Asked, Done] | None = writes.groups.get(act)
        if group is None:
            group = writes.groups[act] = cls(writes, act)
        return group

    async def _run(self, taken: list[_Member[Asked, Done]]) -> None:
        futures = [one.future for one in taken]
        deadline = min((one.deadline for one in taken if one.deadline is not None), default=None)
        made: Transaction | None = None
        try:
            async with transaction_until(deadline, self._writes) as made:
                values = await self._act(made, [one.asked for one in taken])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait
            if isinstance(error, ConnectionsTakenError) or (made is not None and made.is_committing):
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
                return
            logger.debug("%d are written one by one: %s", len(taken), type(error).__name__)
            values = [None] * len(taken)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        for future, value in zip(futures, values, strict=True):
            if not future.done():
                future.set_result(value)
