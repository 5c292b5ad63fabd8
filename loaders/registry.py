"""The loaders of one request, each made when it is first used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from loaders.batch import BatchLoader, Kind, Load
from loaders.statement import Reads


class Loaders:
    """One of each kind. They keep what they loaded, so a mutation's payload needs new ones.

    With ``failed`` nothing is loaded, and every load raises it. ``tags`` are those of what was loaded.
    """

    def __init__(self, reads: Reads, *, failed: Exception | None = None) -> None:
        self.reads = reads
        self._failed = failed
        self._made: dict[Kind, BatchLoader[Any, Any]] = {}
        self.tags: set[str] = set()

    def of(self, kind: Kind) -> BatchLoader[Any, Any]:
        """The loader of ``kind``."""
        if kind not in self._made:
            self._made[kind] = kind.made(self.reads)
        return self._made[kind]

    async def load(self, load: Load | Sequence[Load | None] | None) -> Any:
        """The value of ``load``; of several, a list of theirs; ``None`` for none."""
        if load is None:
            return None
        if self._failed is not None:
            raise self._failed
        if isinstance(load, Load):
            # graphql-core cancels what is beside an error. What is loaded belongs to others of the request as well.
            value = await asyncio.shield(self.of(load.kind).load(load.key))
            self.tags.update(load.kind.loader.tags(load.key, value))
            return value
        return list(await asyncio.gather(*(self.load(one) for one in load)))
