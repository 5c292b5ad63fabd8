"""PostgreSQL's own plan of a statement, as a session of the gateway gets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loaders.statement import Reads

_PREPARED = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'explained'"


async def query_plan(reads: Reads, sql: str, keys: Sequence[Any], *, analyze: bool) -> list[str]:
    """The lines of EXPLAIN of ``sql`` with these keys; ``analyze`` runs it once more, and counts rows and buffers.

    Prepared first, as the gateway does it: EXPLAIN of the bare text would be planned for these keys, and the gateway's
    statements are planned once for any.
    """
    async with reads.acquire() as connection:
        await connection.execute(f"PREPARE explained AS {sql}")
        try:
            arguments = await _literals(connection, keys) if keys else ""
            options = " (ANALYZE, BUFFERS)" if analyze else ""
            return [row[0] for row in await connection.fetch(f"EXPLAIN{options} EXECUTE explained{arguments}")]
        finally:
            await connection.execute("DEALLOCATE explained")


async def _literals(connection: Any, keys: Sequence[Any]) -> str:
    """``keys`` in brackets as EXECUTE takes them, which has no parameters of its own: quoted by PostgreSQL."""
    types = await connection.fetchval(_PREPARED)
    columns = ", ".join(f"quote_nullable(${place}::{type_}::text)" for place, type_ in enumerate(types, 1))
    return f"({', '.join(await connection.fetchrow(f'SELECT {columns}', *keys))})"
