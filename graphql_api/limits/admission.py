"""How much runs at a time: what the database can take, then a queue with an end, then a refusal.

A request takes places by the objects that its answer may hold, so that the work under way is bounded and not only the
number of those who asked for it. Beyond what PostgreSQL and one thread of Python do at a time, more at once makes
every answer later and none sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque

from graphql_api.errors import OverloadedError

OBJECTS_A_PLACE = 150
"""A product page takes one place; 100 product cards, nine times as dear for the processor, take nine."""


class Admission:
    """Lets requests run that take ``places`` together; ``most_queued`` wait, each ``queue_s`` at the most.

    They are let in as they came: none that is small passes one that is large.
    """

    def __init__(self, places: int, most_queued: int, queue_s: float) -> None:
        self.running = 0
        self._places = places
        self._free = places
        self._most_queued = most_queued
        self._queue_s = queue_s
        self._queue: deque[tuple[float, int, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def queued(self) -> int:
        """How many wait."""
        return sum(not future.done() for _, _, future in self._queue)

    def places_of(self, cost: int) -> int:
        """The places of a request of so many objects; never more than there are."""
        return min(1 + cost // OBJECTS_A_PLACE, self._places)

    def check(self) -> None:
        """Raise ``OverloadedError`` where one more could not even wait."""
        if len(self._queue) < self._most_queued or (not self._queue and self._free > 0):
            return
        self._drop_left()
        if len(self._queue) >= self._most_queued:
            raise OverloadedError

    def entered(self, places: int) -> bool:
        """Take ``places`` if they can be had at once. Where they are not, ``enter``: it is a coroutine more."""
        if self._free < places or self._queue:
            return False
        self._free -= places
        self.running += 1
        return True

    async def enter(self, places: int) -> None:
        """Take ``places``, now or after a while. Raises ``OverloadedError``."""
        if self.entered(places):
            return
        self.check()
        if not self._most_queued:
            raise OverloadedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        until = loop.time() + self._queue_s
        self._queue.append((until, places, future))
        if self._timer is None:
            self._timer = loop.call_at(until, self._give_up)
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                # A smaller one may have stood behind it.
                self._let_in()
            elif future.exception() is None:
                # It was let in, and has left in the same turn of the loop.
                self.leave(places)
            raise

    def leave(self, places: int) -> None:
        """Give them back."""
        self._free += places
        self.running -= 1
        if self._queue:
            self._let_in()

    def _let_in(self) -> None:
        while self._queue:
            _, places, future = self._queue[0]
            if not future.done():
                if places > self._free:
                    return
                self._free -= places
                self.running += 1
                future.set_result(None)
            self._queue.popleft()

    def _drop_left(self) -> None:
        """Forget those whose client has left."""
        self._queue = deque(one for one in self._queue if not one[2].done())

    def _give_up(self) -> None:
        """Refuse those who have waited long enough."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._queue:
            until, _, future = self._queue[0]
            if not future.done():
                if until > loop.time():
                    self._timer = loop.call_at(until, self._give_up)
                    break
                future.set_exception(OverloadedError())
            self._queue.popleft()
        # One that is smaller may have stood behind it.
        self._let_in()
