"""The note in the database of a load that is under way: what a killed one has left, and from where to carry on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from etl import incoming

LAYOUT = 2
"""Raised whenever the same files would give other chunks, or other rows in them."""


NOTHING_STORED = 0
"""The layout of a load whose one transaction changes all or nothing."""


@dataclass(frozen=True)
class Underway:
    """A load that has begun. ``started_at`` is the present that the dates in the files are compared with."""

    fingerprint: bytes
    source: str
    layout: int
    chunk_bytes: int
    first_number: int
    started_at: datetime
    switched: bool = False
    pending: tuple[str, ...] = ()

    def is_of(self, other: Underway) -> bool:
        """Whether ``other``, begun now, would give the same chunks if they were cut in the same sizes."""
        return (self.fingerprint, self.layout, self.first_number) == (
            other.fingerprint,
            other.layout,
            other.first_number,
        )


async def found(connection: asyncpg.Connection) -> Underway | None:
    """The load that has begun and not ended, if any."""
    row = await connection.fetchrow(
        "SELECT fingerprint, source, layout, chunk_bytes, first_number, started_at, switched, pending"
        " FROM load_progress"
    )
    return None if row is None else Underway(**{**row, "pending": tuple(row["pending"])})


async def begin(connection: asyncpg.Connection, load: Underway) -> None:
    """Note that ``load`` begins, and make the tables that a first one fills."""
    async with connection.transaction():
        if load.layout != NOTHING_STORED:
            await incoming.create(connection)
        await connection.execute(
            "INSERT INTO load_progress (fingerprint, source, layout, chunk_bytes, first_number, started_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            load.fingerprint,
            load.source,
            load.layout,
            load.chunk_bytes,
            load.first_number,
            load.started_at,
        )


async def discard(connection: asyncpg.Connection) -> None:
    """Forget a load that has not switched, and what it has stored."""
    async with connection.transaction():
        # Where nothing was stored the schema is not ours, should there be one of that name.
        if await connection.fetchval("SELECT layout <> $1 FROM load_progress", NOTHING_STORED):
            await incoming.drop(connection)
        await connection.execute("DELETE FROM load_chunks")
        await connection.execute("DELETE FROM load_progress")


async def committed(connection: asyncpg.Connection) -> dict[str, dict[int, int]]:
    """Of each part the chunks that are stored, and how many rows each has."""
    parts: dict[str, dict[int, int]] = defaultdict(dict)
    for part, chunk, rows in await connection.fetch("SELECT part, chunk, row_count FROM load_chunks"):
        parts[part][chunk] = rows
    return parts
