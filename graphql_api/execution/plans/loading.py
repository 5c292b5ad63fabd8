"""What a plan has of one request while it runs: its variables, and what it loads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from graphql.execution.values import VariableValues

from graphql_api.context import Context
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.execution.plans.variables import Variables
from loaders.batch import ROWS, Extent, Kind, Load, kind_with_page
from loaders.observer import Asker
from loaders.shared import SharedLoaders

Pending = asyncio.Future[list[Any]]


class Loading:
    """One request's loads: equal ones are asked once, in batches with those of other requests.

    The resolver of a mutation gets it as its ``strawberry.Info``, of which it reads the ``context``.
    """

    __slots__ = ("_asked", "_begun", "_loaders", "_raw", "_variables", "asker", "context")

    def __init__(self, loaders: SharedLoaders, variables: Variables, raw: dict[str, Any], context: Context) -> None:
        self.asker: Asker | None = context.observation
        self.context = context
        self._loaders = loaders
        self._variables = variables
        self._raw = raw
        self._asked: dict[tuple[Kind, Any], Pending] | None = None
        self._begun: list[tuple[Kind, Sequence[Any], Pending]] = []

    def start(self, load: Load | None, extent: Extent = ROWS) -> Pending | None:
        """Begin to load. The result's only item is the value."""
        if load is None:
            return None
        return self._load(load.kind.with_extent(extent), (load.key,))

    def start_with(self, load: Load, extent: Extent, page: Load, of_page: Extent) -> tuple[Pending, Pending | None]:
        """Begin to load a product, and of it a page, which comes last in the ahead of the product's row.

        What cannot come there begins beside it, and is the second.
        """
        kind = kind_with_page(load.kind, extent, page.kind, of_page)
        if kind is not None:
            return self._load(kind, (load.key,)), None
        beside = self._load(page.kind.with_extent(of_page), (page.key,))
        return self._load(load.kind.with_extent(extent), (load.key,)), beside

    def _load(self, kind: Kind, keys: Sequence[Any]) -> Pending:
        pending = self._loaders.load(kind, keys, self.asker)
        self._begun.append((kind, keys, pending))
        return pending

    def start_once(self, load: Load | None, extent: Extent = ROWS) -> Pending | None:
        """The same where the operation may ask for equal things."""
        if load is None:
            return None
        kind, key = load.kind.with_extent(extent), load.key
        if self._asked is None:
            self._asked = {}
        pending = self._asked.get((kind, key))
        if pending is None:
            pending = self._asked[kind, key] = self._load(kind, (key,))
        return pending

    def start_many(self, loads: Sequence[Load | None], extent: Extent = ROWS) -> list[tuple[list[int], Pending]]:
        """Begin to load several: for each kind, the places of its values among all, and the values to come."""
        groups: dict[Kind, tuple[list[int], list[Any]]] = {}
        for place, load in enumerate(loads):
            if load is not None:
                kind, key = load
                places, keys = groups.setdefault(kind, ([], []))
                places.append(place)
                keys.append(key)
        return [(places, self._load(kind.with_extent(extent), keys)) for kind, (places, keys) in groups.items()]

    @staticmethod
    async def all(count: int, pending: list[tuple[list[int], Pending]]) -> list[Any]:
        """The values of ``start_many``, in the order of its loads."""
        values: list[Any] = [None] * count
        for places, coming in pending:
            for place, value in zip(places, await coming, strict=True):
                values[place] = value
        return values

    def abandon(self) -> None:
        """Wait for nothing more of what has begun."""
        for kind, _, pending in self._begun:
            pending.cancel()
            if pending.cancelled():
                self._loaders.abandoned(kind)

    def tags(self) -> set[str]:
        """The tags of all that was asked for, used or not."""
        tags: set[str] = set()
        for kind, keys, pending in self._begun:
            of = kind.loader.tags
            try:
                values = pending.result()
            except (Exception, asyncio.CancelledError):  # noqa: BLE001 - it has not come, for whatever reason
                values = [None] * len(keys)
            for key, value in zip(keys, values, strict=True):
                tags.update(of(key, value))
        return tags

    def variable_values(self) -> VariableValues:
        """The variables as graphql-core has them."""
        values = self._variables.coerced_by_graphql(self._raw)
        if isinstance(values, list):
            raise UnsupportedError("variables")
        return values
