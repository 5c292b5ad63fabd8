"""Work that is done once for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Together(Generic[Result]):
    """By key: what is under way. Nothing is kept once it has ended."""

    def __init__(self) -> None:
        self._under_way: dict[str, tuple[asyncio.Task[Result], list[None]]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of ``work``, or of what is under way for ``key``.

        One who is cancelled ends it for nobody; the last one ends it.
        """
        task, waiting = self._under_way.get(key) or self._begun(key, work)
        waiting.append(None)
        try:
            return await asyncio.shield(task)
        finally:
            waiting.pop()
            if not waiting and not task.done():
                self._forget(key, task)
                task.cancel()

    def _begun(
        self, key: str, work: Callable[[], Coroutine[Any, Any, Result]]
    ) -> tuple[asyncio.Task[Result], list[None]]:
        task = asyncio.create_task(work())
        task.add_done_callback(lambda _: self._forget(key, task))
        begun = self._under_way[key] = (task, [])
        return begun

    def _forget(self, key: str, task: asyncio.Task[Result]) -> None:
        # Another one may have begun since it was given up.
        if key in self._under_way and self._under_way[key][0] is task:
            del self._under_way[key]
