"""Chunks of rows on their way into PostgreSQL, by binary COPY, over several sessions at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from etl.wire import HEADER, TRAILER, Encoded

CHUNK_BYTES = 8 << 20


@dataclass
class Chunk:
    """Rows that are committed together. ``part`` is what is cut into chunks, ``number`` counts those of it."""

    table: str
    part: str
    number: int
    rows: int = 0
    size: int = 0
    pieces: deque[memoryview] = field(default_factory=deque)

    def add(self, rows: Encoded) -> None:
        """Append ``rows``."""
        self.pieces.append(rows.data)
        self.rows += len(rows)
        self.size += len(rows.data)


def chunks(table: str, part: str, rows: Iterable[Encoded], size: int) -> Iterator[Chunk]:
    """``rows`` in chunks of at least ``size`` bytes; the same rows give the same chunks."""
    chunk = Chunk(table, part, 0)
    for some in rows:
        chunk.add(some)
        if chunk.size >= size:
            yield chunk
            chunk = Chunk(table, part, chunk.number + 1)
    if chunk.rows:
        yield chunk


async def copy(connection: asyncpg.Connection, chunk: Chunk, columns: Sequence[str], schema: str | None) -> None:
    """Copy ``chunk`` into its table; its pieces are let go as they are sent."""

    async def source() -> AsyncIterator[bytes | memoryview]:
        yield HEADER
        while chunk.pieces:
            yield chunk.pieces.popleft()
        yield TRAILER

    await connection.copy_to_table(
        chunk.table, schema_name=schema, columns=list(columns), source=source(), format="binary"
    )


async def copy_all(
    sessions: Sequence[asyncpg.Connection], made: Iterator[Chunk], columns: Sequence[str], committed: set[int]
) -> None:
    """Copy the chunks that are ``made`` into ``incoming``, each in a transaction of its own that notes it.

    The next chunk is made, in a thread, while those before it are sent. Chunks that are ``committed`` are left out.
    """
    waiting: asyncio.Queue[Chunk | None] = asyncio.Queue(maxsize=1)

    async def send(session: asyncpg.Connection) -> None:
        while (chunk := await waiting.get()) is not None:
            async with session.transaction():
                await copy(session, chunk, columns, "incoming")
                await session.execute(
                    "INSERT INTO load_chunks (part, chunk, row_count) VALUES ($1, $2, $3)",
                    chunk.part,
                    chunk.number,
                    chunk.rows,
                )

    async def make() -> None:
        while (chunk := await _next(made)) is not None:
            if chunk.number not in committed:
                await waiting.put(chunk)
        for _ in sessions:
            await waiting.put(None)

    async with _together() as group:
        group.create_task(make())
        for session in sessions:
            group.create_task(send(session))


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks of which the first error ends all, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _next(made: Iterator[Chunk]) -> Chunk | None:
    """The next chunk, made in a thread; when cancelled the thread is waited for, since it still reads the file."""
    making = asyncio.get_running_loop().run_in_executor(None, next, made, None)
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        await asyncio.wait([making])
        raise


async def in_turn(
    sessions: Sequence[asyncpg.Connection], work: Sequence[Sequence[str]], advanced: Callable[[int], None]
) -> None:
    """Run each list of statements, one after the other, on whichever session is free; the lists in their order.

    ``advanced`` gets the number of lists that are done.
    """
    waiting = iter(work)
    done = 0

    async def run(session: asyncpg.Connection) -> None:
        nonlocal done
        for statements in waiting:
            for statement in statements:
                await session.execute(statement)
            done += 1
            advanced(done)

    async with _together() as group:
        for session in sessions:
            group.create_task(run(session))
