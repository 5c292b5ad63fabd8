"""What one request carries to its resolvers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from graphql_api.changes.changed import Changed
from graphql_api.db.engine import Database
from graphql_api.instruments.observation import Observation
from graphql_api.settings import Settings
from loaders.batch import Load
from loaders.observer import Observer
from loaders.registry import Loaders
from loaders.shared import SharedLoaders

Sent = TypeVar("Sent")
Payload = TypeVar("Payload")


class Done(NamedTuple):
    """What a mutation came to."""

    payload: Any
    error: Exception | None


@dataclass(slots=True)
class Context:
    """The database, the loaders of this request, what its HTTP headers said, and what its mutations have written.

    ``client``: whom a request that may write is counted for. ``after`` is the place in the primary's log that a standby
    must have reached to be asked; without it none may be. ``observation`` is what is noted of it, and ``observer`` is
    told of its loaders. ``deadline`` is when a mutation gives up, in the time of the loop; whatever else is ended from
    outside. ``cost`` is the operation's, once it is known. ``shared``: a plan runs it, it is one mutation, and these
    are the loaders of the process. What the mutation came to is kept in ``done`` then, so that a plan which fails while
    it writes the answer down can hand it over to graphql-core.
    """

    database: Database
    settings: Settings
    request_id: str
    idempotency_key: str | None = None
    client: str | None = None
    after: int | None = None
    changed: Changed | None = None
    observation: Observation | None = None
    observer: Observer | None = None
    deadline: float | None = None
    cost: int = 0
    shared: SharedLoaders | None = None
    done: Done | None = None
    _loaders: Loaders | None = field(init=False, default=None)

    @property
    def loaders(self) -> Loaders:
        """The loaders of this request, made when a resolver asks for them: a plan has others."""
        if self._loaders is None:
            self._loaders = Loaders(
                self.database.reads, observer=self.observer, asker=self.observation, deadline=self.deadline
            )
        return self._loaders

    async def once(self, act: Callable[[Context, Sent], Awaitable[Payload]], sent: Sent) -> Payload:
        """What ``act`` makes of ``sent``, or has made of it: nothing is written twice."""
        if self.done is None:
            try:
                done = Done(await act(self, sent), None)
            except Exception as error:
                if self.shared is not None:
                    self.done = Done(None, error)
                raise
            if self.shared is None:
                return done.payload  # type: ignore[no-any-return] # what act gives
            self.done = done
        if self.done.error is not None:
            raise self.done.error
        return self.done.payload  # type: ignore[no-any-return] # the same

    async def load(self, load: Load) -> Any:
        """What a mutation loads before its answer: in batches with other requests, where a plan runs it."""
        if self.shared is None:
            return await self.loaders.load(load)
        (value,) = await self.shared.load(load.kind, (load.key,), self.observation)
        return value

    def tags(self) -> set[str]:
        """The tags of what the resolvers have loaded."""
        return set() if self._loaders is None else self._loaders.tags

    def fail(self, error: Exception) -> None:
        """From now on every load fails with ``error``: a database that is away is not asked again."""
        self._loaders = Loaders(self.database.reads, failed=error)

    def abandon(self) -> None:
        """Nobody waits for what the resolvers load: end it."""
        if self._loaders is not None:
            self._loaders.abandon()

    def forget(self) -> None:
        """Start with empty loaders: what is read from now on shows what was written until now."""
        self._loaders = None
