"""The loaders of one request, each made when it is first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any

from loaders.batch import BatchLoader, Kind, Load
from loaders.observer import Asker, Batch, Observer
from loaders.statement import ObservedReads, Reads


class Loaders:
    """One of each kind. They keep what they loaded, so a mutation's payload needs new ones.

    With ``failed`` nothing is loaded, and every load raises it. ``tags`` are those of what was loaded. ``observer`` is
    told of every batch and statement, ``asker`` of its batches. Beyond ``deadline``, in the time of the loop, loads
    raise ``TimeoutError``, and what is under way is ended.
    """

    def __init__(
        self,
        reads: Reads,
        *,
        failed: Exception | None = None,
        observer: Observer | None = None,
        asker: Asker | None = None,
        deadline: float | None = None,
    ) -> None:
        self.reads = reads
        self._observer = observer
        self._asker = asker
        self._failed = failed
        self._deadline = deadline
        self._under_way: set[asyncio.Task[Any]] = set()
        self._is_abandoned = False
        self._made: dict[Kind, BatchLoader[Any, Any]] = {}
        self.tags: set[str] = set()

    def of(self, kind: Kind) -> BatchLoader[Any, Any]:
        """The loader of ``kind``."""
        if kind not in self._made:
            self._made[kind] = self._told_of(kind)
        return self._made[kind]

    def abandon(self) -> None:
        """End what is under way, and begin nothing more: nobody waits for it."""
        self._is_abandoned = True
        for task in self._under_way:
            task.cancel()

    def _told_of(self, kind: Kind) -> BatchLoader[Any, Any]:
        name, observer, asker = kind.loader.__name__, self._observer, self._asker
        made = kind.made(self.reads if observer is None else ObservedReads(self.reads, name, observer))
        load: Callable[[list[Any]], Coroutine[Any, Any, list[Any]]] = made.batch_load_fn

        async def told(keys: list[Any]) -> list[Any]:
            task = asyncio.current_task()
            assert task is not None, "aiodataloader makes one for each batch"
            if self._is_abandoned:
                raise asyncio.CancelledError
            self._under_way.add(task)
            began = perf_counter()
            batch = Batch(name, len(keys), began, began)
            if asker is not None:
                asker.batches.append((began, batch))
            try:
                return await load(keys)
            finally:
                self._under_way.discard(task)
                batch.ended = perf_counter()
                if observer is not None:
                    observer.batch(batch, (asker,))

        made.batch_load_fn = told  # type: ignore[method-assign] # aiodataloader calls what stands there
        return made

    async def load(self, load: Load | Sequence[Load | None] | None) -> Any:
        """The value of ``load``; of several, a list of theirs; ``None`` for none."""
        if load is None:
            return None
        if self._failed is not None:
            raise self._failed
        if isinstance(load, Load):
            # graphql-core cancels what is beside an error. What is loaded belongs to others of the request as well.
            loading = asyncio.shield(self.of(load.kind).load(load.key))
            try:
                async with asyncio.timeout_at(self._deadline) as limit:
                    value = await loading
            except TimeoutError:
                if limit.expired():
                    self.abandon()
                raise
            self.tags.update(load.kind.loader.tags(load.key, value))
            return value
        return list(await asyncio.gather(*(self.load(one) for one in load)))
