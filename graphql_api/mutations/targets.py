"""The review that a mutation is about, visible or not."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import Review
from graphql_api.schema import identity


class Target(NamedTuple):
    """A review that exists, and whether it is hidden."""

    product_id: int
    review_id: int
    reported: bool


async def lock_target(connection: AsyncConnection, any_id: str) -> Target | None:
    """The review of a global id or plain number, its row locked for the transaction; ``None`` where there is none.

    Locked at once, so that what is found of it still holds when it is written.
    """
    numbers = identity.numbers_of("Review", any_id)
    if numbers is None:
        return None
    statement = select(Review.product_id, Review.review_id, Review.reported).where(Review.review_id == numbers[-1])
    if len(numbers) > 1:
        statement = statement.where(Review.product_id == numbers[0])
    row = (await connection.execute(statement.with_for_update(key_share=True))).first()
    return None if row is None else Target(*row)
