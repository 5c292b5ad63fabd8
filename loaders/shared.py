"""Loaders that batch across requests: keys are collected while an earlier statement is under way, then asked at once.

Alone, a request waits for nothing. Under load one statement serves dozens of requests. Nothing is kept between
batches, and no key joins a statement that has begun: no answer is older than its request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import asyncpg

from graphql_api.db.leases import Leases
from loaders.batch import BatchLoader, Kind
from loaders.observer import Asker, Batch, Observer
from loaders.statement import ObservedReads, Reads

MOST_UNDER_WAY = 2
"""Statements of one loader at a time: with one, Python waits while PostgreSQL works, and the other way round."""

MOST_KEYS = 16
"""Keys of one statement: enough that they share what it costs, and few enough that its rows are there to be worked at
while PostgreSQL is at the next one. With 32 the 64 requests that wait together would be with PostgreSQL together, and
Python be idle: pages a second are 1.1 times as many with 16, and with 8 as few as with 32."""


MOST_IDLE = 64
"""Loaders that are kept though nobody waits for them: kinds hold searches, so there is no end of them."""


class SharedLoaders:
    """The loaders of a process, by kind.

    ``patience_s``: seconds that a key may wait for its statement to begin. ``observer`` is told of every batch and
    statement.
    """

    def __init__(self, reads: Reads, patience_s: float, observer: Observer | None = None) -> None:
        self.reads = reads
        self.observer = observer
        # Two are left for what else reads: a store of documents, graphql-core, a check of health.
        most = reads.get_max_size() - 2 if isinstance(reads, asyncpg.Pool) else 0
        self._leases = Leases(reads, most, patience_s) if isinstance(reads, asyncpg.Pool) and most > 0 else None
        self.patience_s = patience_s
        self._loaders: dict[Kind, SharedLoader] = {}
        self._loop = asyncio.get_running_loop()

    def load(self, kind: Kind, keys: Sequence[Any], asker: Asker | None = None) -> asyncio.Future[list[Any]]:
        """The values of ``keys``, in their order, for ``asker``."""
        loader = self._loaders.get(kind)
        if loader is None:
            reads: Reads = self._leases or self.reads
            if self.observer is not None:
                reads = ObservedReads(reads, kind.loader.__name__, self.observer)
            loader = self._loaders[kind] = SharedLoader(self, kind, kind.made(reads), self._loop)
        return loader.load(keys, asker)

    @property
    def unused_connections(self) -> int:
        """How many connections are kept that no batch has."""
        return 0 if self._leases is None else self._leases.unused

    async def close(self) -> None:
        """Give the connections back."""
        if self._leases is not None:
            await self._leases.close()

    def abandoned(self, kind: Kind) -> None:
        """Somebody has cancelled what a load of ``kind`` gave: a batch for which nobody else waits is ended."""
        loader = self._loaders.get(kind)
        if loader is not None:
            loader.abandoned()

    def idle(self, kind: Kind) -> None:
        """Nobody waits for the loader of ``kind``: it may be forgotten."""
        if len(self._loaders) > MOST_IDLE:
            self._loaders.pop(kind, None)


Waiting = tuple[Sequence[Any], asyncio.Future[list[Any]], float, Asker | None]
"""Keys, what their values are waited for with, and the moment in which they were asked for, by whom."""


class SharedLoader:
    """One relation's queue. Each who waits has a future of his own, so one that is cancelled takes nobody along."""

    __slots__ = ("_batch", "_ending", "_kind", "_loop", "_owner", "_scheduled", "_tasks", "_waiting")

    def __init__(
        self, owner: SharedLoaders, kind: Kind, batch: BatchLoader[Any, Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._owner = owner
        self._kind = kind
        self._batch = batch
        self._loop = loop
        self._waiting: list[Waiting] = []
        self._tasks: dict[asyncio.Task[None], list[Waiting]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def load(self, keys: Sequence[Any], asker: Asker | None) -> asyncio.Future[list[Any]]:
        """The values of ``keys``; a ``TimeoutError`` where their statement did not begin in time."""
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        self._waiting.append((keys, future, perf_counter(), asker))
        if not self._scheduled and len(self._tasks) < MOST_UNDER_WAY:
            # At the end of this turn of the loop: what else becomes ready in it goes along.
            self._scheduled = True
            self._loop.call_soon(self._begin)
        return future

    def abandoned(self) -> None:
        """End the batches that nobody waits for any more. They are no longer under way: others may begin."""
        self._waiting = [one for one in self._waiting if not one[1].cancelled()]
        for task, taken in list(self._tasks.items()):
            if all(one[1].cancelled() for one in taken):
                del self._tasks[task]
                self._ending.add(task)
                task.cancel()
        if self._waiting and not self._scheduled and len(self._tasks) < MOST_UNDER_WAY:
            self._scheduled = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._scheduled = False
        if len(self._tasks) >= MOST_UNDER_WAY:
            return
        oldest = perf_counter() - self._owner.patience_s
        places: dict[Any, int] = {}
        taken: list[Waiting] = []
        count = 0
        for one in self._waiting:
            if len(places) >= MOST_KEYS:
                break
            count += 1
            keys, future, asked, _ = one
            if asked < oldest:
                _fail(future, TimeoutError("no statement began in time"))
            elif not future.done():
                taken.append(one)
                for key in keys:
                    places.setdefault(key, len(places))
        del self._waiting[:count]
        if taken:
            task = self._loop.create_task(self._run(places, taken, self._told(len(places), taken)))
            self._tasks[task] = taken
            task.add_done_callback(self._ended)
        if self._waiting and len(self._tasks) < MOST_UNDER_WAY:
            self._scheduled = True
            self._loop.call_soon(self._begin)
        elif not self._tasks:
            self._owner.idle(self._kind)

    def _told(self, keys: int, taken: list[Waiting]) -> Batch:
        """The batch that begins now, known to those who asked for it."""
        batch = Batch(self._kind.loader.__name__, keys, taken[0][2], perf_counter())
        for _, _, asked, asker in taken:
            if asker is not None:
                asker.batches.append((asked, batch))
        return batch

    async def _run(self, places: dict[Any, int], taken: list[Waiting], batch: Batch) -> None:
        try:
            values = await self._batch.batch_load_fn(list(places))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait
            for _, future, *_ in taken:
                _fail(future, error)
        except BaseException:
            for _, future, *_ in taken:
                future.cancel()
            raise
        else:
            for keys, future, _, _ in taken:
                if not future.done():
                    future.set_result([values[places[key]] for key in keys])
        finally:
            batch.ended = perf_counter()
            if self._owner.observer is not None:
                self._owner.observer.batch(batch, [one[3] for one in taken])

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task not in self._ending:
            self._after(task)
            return
        self._ending.discard(task)
        if not (self._waiting or self._tasks or self._scheduled):
            self._owner.idle(self._kind)

    def _after(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if task.cancelled():
            for _, future, *_ in self._waiting:
                future.cancel()
            self._waiting.clear()
        if self._waiting:
            self._begin()
        elif not self._tasks and not self._scheduled:
            self._owner.idle(self._kind)


def _fail(future: asyncio.Future[list[Any]], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # looked at, so that nobody is warned where nobody comes to fetch it
