"""What a committed transaction has changed, as its triggers have recorded it, and where the primary's log ends."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, String, Text, case, cast, func, select

from graphql_api.db.models import Change, Xid8
from loaders import tags
from loaders.batch import BatchLoader, arrays_table
from loaders.statement import Statement

# Where a commit does not wait for the flush, it may lie behind what was flushed.
_does_not_wait = func.current_setting("synchronous_commit") == "off"
_log = case((_does_not_wait, func.pg_current_wal_insert_lsn()), else_=func.pg_current_wal_flush_lsn())
_keys = arrays_table(("product_ids", BigInteger()), ("xids", Text()))
# The row of what touched everything has no product.
_said = select(Change.tags).where(
    Change.product_id.in_([_keys.c.product_ids, 0]), Change.xid == cast(_keys.c.xids, Xid8())
)
_recorded = Statement(
    "recorded by transaction",
    select(
        _keys.c.product_ids,
        _keys.c.xids,
        cast(_log, String).label("lsn"),
        func.array(_said.scalar_subquery()).label("tags"),
    ).select_from(_keys),
)


class Recorded(NamedTuple):
    """A place in the log that is not before the commit, and the tags of each row that was recorded."""

    lsn: str
    tags: list[str]


class RecordedByTransaction(BatchLoader[tuple[int, str], Recorded]):
    """Of a (product number, transaction number), asked of the primary after the commit."""

    tags = staticmethod(tags.by_first)

    async def batch_load_fn(self, keys: list[tuple[int, str]]) -> list[Recorded]:
        rows = await _recorded.fetch(self.reads, product_ids=[k[0] for k in keys], xids=[k[1] for k in keys])
        found = {(row[0], row[1]): Recorded(row[2], row[3]) for row in rows}
        return [found[key] for key in keys]
