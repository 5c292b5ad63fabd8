"""The review that a mutation is about, visible or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import Select, select

from graphql_api.db.models import Review
from graphql_api.mutations.statement import PRODUCT_ID, REVIEW_ID, XID
from graphql_api.schema import identity
from loaders.statement import Writing

Locked = Select[*tuple[Any, ...]]


class Target(NamedTuple):
    """A review that exists, whether it is hidden, and the number of the transaction that has locked it."""

    product_id: int
    review_id: int
    reported: bool
    xid: str


# Locked at once, so that what is found of it still holds when it is written.
_BY_NUMBER = (
    select(Review.product_id, Review.review_id, Review.reported, XID)
    .where(Review.review_id == REVIEW_ID)
    .with_for_update(key_share=True)
)
_BY_ID = _BY_NUMBER.where(Review.product_id == PRODUCT_ID)


class OfTarget:
    """A statement about a review: ``of`` makes it of the select that finds and locks the review.

    There are two of it, as a global id says the product and a plain number does not.
    """

    def __init__(self, name: str, of: Callable[[Locked], Locked]) -> None:
        self._by_id = Writing(f"{name} by id", of(_BY_ID))
        self._by_number = Writing(f"{name} by number", of(_BY_NUMBER))

    async def first(self, connection: PoolConnectionProxy, any_id: str, **parameters: object) -> asyncpg.Record | None:
        """Its first row; ``None`` where there is none, and for what is no id of a review."""
        numbers = identity.numbers_of("Review", any_id)
        if numbers is None:
            return None
        if len(numbers) == 1:
            return await self._by_number.first(connection, review_id=numbers[0], **parameters)
        product_id, review_id = numbers
        return await self._by_id.first(connection, product_id=product_id, review_id=review_id, **parameters)


_locked = OfTarget("review locked", lambda found: found)


async def lock_target(connection: PoolConnectionProxy, any_id: str) -> Target | None:
    """The review of a global id or plain number, its row locked for the transaction; ``None`` where there is none."""
    row = await _locked.first(connection, any_id)
    return None if row is None else Target(*row)
