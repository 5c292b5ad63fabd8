"""The one transaction of a mutation, and what it has changed.

A mutation that has begun does not end because its client leaves: it is finished, and a retry with its idempotency key
gets the answer. At its deadline it is rolled back whole, unless it is being committed: then it is waited for, and where
the database stays silent the answer says that nobody knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asyncpg.pool import PoolConnectionProxy

from graphql_api.changes.changed import NO_PLACE, NO_TRANSACTION, Changed
from graphql_api.context import Context
from graphql_api.db.engine import is_passing
from graphql_api.db.writes import Writes
from graphql_api.errors import StatementTimeoutError
from loaders.batch import Kind, Load
from loaders.recorded import Recorded, RecordedByTransaction
from loaders.tags import of_product, of_review

logger = logging.getLogger("reviews")

COMMIT_S = 5.0
"""Seconds beyond the deadline for which the database's word on a commit is waited for."""

AFTER_S = 1.0
"""Seconds for which a committed mutation waits to hear what was recorded of it."""

_NOTHING_WRITTEN = "The database took too long, and nothing was written: send it again later."
_UNKNOWN = (
    "The database has not said whether this was written: look before you send it again, or send it again with the same"
    " idempotency key."
)


@dataclass(slots=True)
class Touched:
    """What a mutation is about: one product, whose ``tags`` its answer names, in the transaction ``xid``.

    ``alone``: the transaction touched no other product. Else ``recorded_below`` is the one that its changes are
    recorded with.
    """

    xid: str
    tags: set[str]
    recorded_below: int
    alone: bool = True


class Transaction:
    """The connection that is written on, and how far it came."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self.connection = connection
        self.touched: Touched | None = None
        self.is_committing = False

    def touches(self, xid: str, product_id: int, review_id: int | None = None) -> None:
        """What the mutation is about. Said also where another request has done the work before."""
        tags = {of_product(product_id)}
        if review_id is not None:
            tags.add(of_review(review_id))
        self.touched = Touched(xid, tags, product_id)


@asynccontextmanager
async def transaction(context: Context) -> AsyncIterator[Transaction]:
    """A transaction, committed at the end of the context. What it changed is then in ``context.changed``.

    Raises ``StatementTimeoutError`` where the mutation's deadline passed, and says what became of the transaction.
    """
    async with transaction_until(context.deadline, context.database.writes) as made:
        yield made
    if made.touched is not None:
        await note(context, made.touched)


@asynccontextmanager
async def transaction_until(deadline: float | None, writes: Writes) -> AsyncIterator[Transaction]:
    """A transaction with a deadline, in the time of the loop; it raises as ``transaction`` does."""
    made: Transaction | None = None
    try:
        async with asyncio.timeout_at(deadline) as limit, writes.connection() as connection:
            made = Transaction(connection)
            async with writes.transaction(connection):
                yield made
                if made.touched is not None:
                    made.is_committing = True
                    if deadline is not None:
                        limit.reschedule(deadline + COMMIT_S)
            limit.reschedule(None)
    except TimeoutError as error:
        if not limit.expired():
            raise
        is_known = made is None or not made.is_committing
        raise StatementTimeoutError(_NOTHING_WRITTEN if is_known else _UNKNOWN) from error


async def note(context: Context, touched: Touched) -> None:
    """Say what a transaction that is committed has changed.

    An edge passes over a transaction that it was told of before. Where it was told of a part only, and where the
    database has left, and what was recorded and the log's end are not known, it must not: reads may come from a standby
    that does not have it.
    """
    context.changed = context.changed or Changed()
    try:
        async with asyncio.timeout(AFTER_S):
            key = (touched.recorded_below, touched.xid)
            found: Recorded = await context.load(Load(Kind(RecordedByTransaction), key))
    except Exception as error:
        if not is_passing(error):
            raise
        # The work is done and is said to be.
        logger.warning("The database left after a commit: %s", type(error).__name__)
        context.changed.add(NO_TRANSACTION, NO_PLACE, touched.tags)
    else:
        if touched.alone and found.tags:
            context.changed.add(touched.xid, found.lsn, touched.tags.union(*(tags.split() for tags in found.tags)))
        else:
            context.changed.add(NO_TRANSACTION, found.lsn, touched.tags)
