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

from asyncpg.pool import PoolConnectionProxy

from graphql_api.changes.changed import NO_PLACE, NO_TRANSACTION, Changed
from graphql_api.context import Context
from graphql_api.db.engine import is_passing
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


class Transaction:
    """The connection that the mutation writes on."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self.connection = connection
        self.product_id: int | None = None
        self.xid: str | None = None
        self.tags: set[str] = set()

    def touches(self, xid: str, product_id: int, review_id: int | None = None) -> None:
        """What the mutation is about: one product. Said also where another request has done the work before."""
        self.xid, self.product_id = xid, product_id
        self.tags.add(of_product(product_id))
        if review_id is not None:
            self.tags.add(of_review(review_id))


@asynccontextmanager
async def transaction(context: Context) -> AsyncIterator[Transaction]:
    """A transaction, committed at the end of the context. What it changed is then in ``context.changed``.

    Raises ``StatementTimeoutError`` where the mutation's deadline passed, and says what became of the transaction.
    """
    is_committing = False
    try:
        writes = context.database.writes
        async with asyncio.timeout_at(context.deadline) as limit, writes.connection() as connection:
            made = Transaction(connection)
            async with writes.transaction(connection):
                yield made
                if made.product_id is not None:
                    is_committing = True
                    if context.deadline is not None:
                        limit.reschedule(context.deadline + COMMIT_S)
            limit.reschedule(None)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StatementTimeoutError(_UNKNOWN if is_committing else _NOTHING_WRITTEN) from error
    await _note(context, made)


async def _note(context: Context, made: Transaction) -> None:
    """Say what a transaction that is committed has changed.

    An edge passes over a transaction that it was told of before. Where the database has left, and what was recorded and
    the log's end are not known, it must not: reads may come from a standby that does not have it.
    """
    if made.product_id is None or made.xid is None:
        return  # nothing was found that could be changed
    context.changed = context.changed or Changed()
    try:
        async with asyncio.timeout(AFTER_S):
            found: Recorded = await context.load(Load(Kind(RecordedByTransaction), (made.product_id, made.xid)))
    except Exception as error:
        if not is_passing(error):
            raise
        # The work is done and is said to be.
        logger.warning("The database left after a commit: %s", type(error).__name__)
        context.changed.add(NO_TRANSACTION, NO_PLACE, made.tags)
    else:
        tags = made.tags.union(*(tags.split() for tags in found.tags))
        context.changed.add(made.xid if found.tags else NO_TRANSACTION, found.lsn, tags)
