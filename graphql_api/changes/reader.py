"""The changes that transactions have recorded, in the order in which they became visible.

A position is a snapshot: of two readings, the later tells of the transactions that its snapshot sees and the earlier
one's did not. Transaction numbers alone would not do, as a lower one may commit after a higher one; and to stop before
the oldest that still runs would let one long writer hold up everybody.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import asyncpg

KEPT_MINUTES = 10
"""For so long a reader may be away and go on where it was."""

FORGOTTEN_AT_ONCE = 2000
"""More than are recorded in a second, and removed in some 10 ms: who reads meanwhile waits no longer."""

_POSITION = re.compile(r"(\d{1,20}-[0-9A-F]{8}-\d{1,10}):(\d{1,20}:\d{1,20}:(?:\d{1,20}(?:,\d{1,20})*)?)", re.ASCII)

# The timeline is that of the log as it is being written: the control file has the old one from a promotion until the
# next checkpoint. Databases of one server have its identifier and its transactions' numbers in common. For
# the log's end see below.
_HERE = """
SELECT (SELECT system_identifier::text FROM pg_control_system())
       || '-' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
       || '-' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS system,
       pg_current_snapshot()::text AS snapshot, pg_current_wal_insert_lsn()::text AS lsn
"""
# The log's end is read after the snapshot is taken, so every commit that the snapshot sees lies before it. With
# synchronous_commit off, as the ETL has it, a commit is seen some 200 ms before it is flushed, so with changes it is
# the end of what was inserted. Without, the end of what was flushed: standbys get no more, and need not be waited for.
_SINCE = """
SELECT pg_current_snapshot()::text AS snapshot,
       (CASE WHEN count(*) > 0 THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END)::text AS lsn,
       array_agg(found.xid::text ORDER BY found.change_id) AS xids,
       array_agg(found.tags ORDER BY found.change_id) AS tags
FROM (
    SELECT change_id, xid, tags FROM changes
    WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
) AS found
"""
_IS_KEPT = """
SELECT pg_snapshot_xmax($1::text::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
   AND pg_snapshot_xmin($1::text::pg_snapshot) >= (SELECT forgotten_until FROM changes_forgotten)
"""
_MOVE_ON = """
    UPDATE changes_forgotten
    SET forgotten_until = next_until, next_until = pg_snapshot_xmin(pg_current_snapshot()), next_at = now()
    WHERE next_at < now() - make_interval(mins => $1)
"""
_REMOVE = """
    DELETE FROM changes WHERE (product_id, change_id) IN (
        SELECT product_id, change_id FROM changes
        WHERE xid < (SELECT forgotten_until FROM changes_forgotten) ORDER BY xid LIMIT $1
    )
"""


class Position(NamedTuple):
    """Where a reader is: in which database's history, and what it has seen."""

    system: str
    snapshot: str

    def __str__(self) -> str:
        return f"{self.system}:{self.snapshot}"

    @classmethod
    def of(cls, text: str) -> Position | None:
        """The position that ``text`` writes; ``None`` if it writes none."""
        match = _POSITION.fullmatch(text)
        return cls(match[1], match[2]) if match else None


class Reading(NamedTuple):
    """What one look at the table brought. ``changes``: transaction and tags, in the order of their recording."""

    position: Position
    lsn: str
    changes: list[tuple[str, str]]


class Reader:
    """Reads on a connection of its own, to the primary."""

    def __init__(self, connection: asyncpg.Connection, here: Position, lsn: str) -> None:
        self._connection = connection
        self.position = here
        self.lsn = lsn

    @classmethod
    async def open(cls, connection: asyncpg.Connection) -> Reader:
        """A reader of what is recorded from now on."""
        row = await connection.fetchrow(_HERE)
        return cls(connection, Position(row["system"], row["snapshot"]), row["lsn"])

    async def go_on_from(self, text: str) -> bool:
        """Whether reading goes on from the position ``text``; if not, it begins now."""
        position = Position.of(text)
        if position is None or position.system != self.position.system:
            return False
        try:
            kept = await self._connection.fetchval(_IS_KEPT, position.snapshot)
        except asyncpg.DataError:  # three numbers that are no snapshot
            return False
        if kept:
            self.position = position
        return bool(kept)

    async def read(self) -> Reading:
        """What has become visible since the last reading."""
        row = await self._connection.fetchrow(_SINCE, self.position.snapshot)
        self.position = Position(self.position.system, row["snapshot"])
        self.lsn = row["lsn"]
        changes = list(zip(row["xids"], row["tags"], strict=True)) if row["xids"] else []
        return Reading(self.position, self.lsn, changes)

    async def forget_old(self) -> None:
        """Remove some of what has been to be read for ``KEPT_MINUTES``."""
        await self._connection.execute(_MOVE_ON, KEPT_MINUTES)
        await self._connection.execute(_REMOVE, FORGOTTEN_AT_ONCE)
