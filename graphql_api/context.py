"""What one request carries to its resolvers."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql_api.changes.changed import Changed
from graphql_api.db.engine import Database
from graphql_api.settings import Settings
from loaders.registry import Loaders


@dataclass(slots=True)
class Context:
    """The database, the loaders of this request, what its HTTP headers said, and what its mutations have written.

    ``after`` is the place in the primary's log that a standby must have reached to be asked; without it none may be.
    """

    database: Database
    settings: Settings
    request_id: str
    idempotency_key: str | None = None
    after: int | None = None
    changed: Changed | None = None
    _loaders: Loaders | None = field(init=False, default=None)

    @property
    def loaders(self) -> Loaders:
        """The loaders of this request, made when a resolver asks for them: a plan has others."""
        if self._loaders is None:
            self._loaders = Loaders(self.database.reads)
        return self._loaders

    def tags(self) -> set[str]:
        """The tags of what the resolvers have loaded."""
        return set() if self._loaders is None else self._loaders.tags

    def fail(self, error: Exception) -> None:
        """From now on every load fails with ``error``: a database that is away is not asked again."""
        self._loaders = Loaders(self.database.reads, failed=error)

    def forget(self) -> None:
        """Start with empty loaders: what is read from now on shows what was written until now."""
        self._loaders = Loaders(self.database.reads)
