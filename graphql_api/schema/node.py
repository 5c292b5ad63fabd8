"""The interface of everything that has a global id."""

from __future__ import annotations

import strawberry


@strawberry.interface(description="Something that can be fetched again by its id alone.")
class Node:
    """The base of types with a global id; each says its own in ``global_id``."""

    def global_id(self) -> str:
        """The id, from the row."""
        raise NotImplementedError

    @strawberry.field(description="The global id: opaque, stable, and unique over all types.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(self.global_id())
