"""The one transaction of a mutation, and what it has changed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import String, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.changes.changed import NO_PLACE, NO_TRANSACTION, Changed
from graphql_api.context import Context
from graphql_api.db.engine import is_passing
from graphql_api.db.models import Change
from loaders.tags import of_product, of_review

logger = logging.getLogger("reviews")

# The row of what touched everything has no product.
_own = select(cast(Change.xid, String), Change.tags).where(
    Change.product_id.in_([bindparam("product_id"), 0]), Change.xid == func.pg_current_xact_id_if_assigned()
)
# Where a commit does not wait for the flush, it may lie behind the end of what was flushed.
_LSN = """
SELECT (CASE current_setting('synchronous_commit')
        WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END)::text
"""


class Transaction:
    """The connection that the mutation writes on."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.product_id: int | None = None
        self.tags: set[str] = set()

    def touches(self, product_id: int, review_id: int | None = None) -> None:
        """What the mutation is about: one product. Said also where another request has done the work before."""
        self.product_id = product_id
        self.tags.add(of_product(product_id))
        if review_id is not None:
            self.tags.add(of_review(review_id))


@asynccontextmanager
async def transaction(context: Context) -> AsyncIterator[Transaction]:
    """A transaction, committed at the end of the context. What it changed is then in ``context.changed``."""
    async with context.database.writes.connect() as connection:
        made = Transaction(connection)
        async with connection.begin():
            yield made
            if made.product_id is None:
                return  # nothing was found that could be changed
            # What the triggers have recorded, which is also what others will be told.
            recorded = (await connection.execute(_own, {"product_id": made.product_id})).all()
        context.changed = context.changed or Changed()
        xid = recorded[0][0] if recorded else NO_TRANSACTION
        tags = made.tags.union(*(row.tags.split() for row in recorded))
        lsn = await _lsn(connection)
        # An edge passes over a transaction that it was told of before. Without the log's end it must not: reads until
        # then may come from a standby that does not have it.
        context.changed.add(xid if lsn else NO_TRANSACTION, lsn or NO_PLACE, tags)


async def _lsn(connection: AsyncConnection) -> str | None:
    """Where the primary's log ends now, which is after the commit; ``None`` if the primary has left."""
    try:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        lsn: str = await driver.fetchval(_LSN)
    except Exception as error:
        if not is_passing(error):
            raise
        # The work is done and is said to be.
        logger.warning("The database left after a commit: %s", type(error).__name__)
        return None
    return lsn
