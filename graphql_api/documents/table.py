"""The table of documents that clients have registered: one statement reads, one transaction writes and bounds it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from graphql_api.db.engine import Database
from graphql_api.db.models import StoredDocument
from loaders.batch import argument, array_of
from loaders.statement import Statement, Writing

LONGEST = 100_000
"""Characters of the longest text that is stored."""

_sha256, _last_used_at = StoredDocument.sha256, StoredDocument.last_used_at
_by_hash = Statement("document by hash", select(StoredDocument.body).where(_sha256 == argument("sha256", Text())))
_stored = insert(StoredDocument).values(sha256=argument("sha256", Text()), body=argument("body", Text()))
_store = Writing(
    "document stored", _stored.on_conflict_do_update(index_elements=[_sha256], set_={"last_used_at": func.now()})
)
# The place in the index of the first one too many: what lies before it is read from the index alone.
_newest = select(_last_used_at, _sha256).order_by(_last_used_at.desc(), _sha256.desc())
_first_beyond = _newest.offset(argument("most", BigInteger())).limit(literal(1, literal_execute=True)).subquery()
# Rows that others hold are left to the next one: two that remove each other's would wait for each other.
_beyond = (
    select(_sha256)
    .where(tuple_(_last_used_at, _sha256) <= select(_first_beyond).scalar_subquery())
    .with_for_update(skip_locked=True)
)
_forget = Writing("documents forgotten", delete(StoredDocument).where(_sha256.in_(_beyond)))
_stale = (
    select(_sha256)
    .where(_sha256 == func.any(array_of("hashes", Text())), _last_used_at < func.now() - text("interval '1 hour'"))
    .with_for_update(skip_locked=True)
)
_touch = Writing("documents touched", update(StoredDocument).where(_sha256.in_(_stale)).values(last_used_at=func.now()))


def is_storable(body: str) -> bool:
    """Whether the table takes it: GraphQL allows U+0000 in comments and strings, PostgreSQL's text does not."""
    return len(body) <= LONGEST and "\0" not in body


async def read(sha256: str, database: Database) -> str | None:
    """The text that is stored under ``sha256``."""
    rows = await _by_hash.fetch(database.reads, sha256=sha256)
    return rows[0][0] if rows else None


async def write(sha256: str, body: str, database: Database, most: int) -> None:
    """Store ``body`` or say that it is in use, and remove what is beyond ``most``, least recently used first."""
    async with database.writes.begun() as connection:
        await _store.rows(connection, sha256=sha256, body=body)
        await _forget.rows(connection, most=most)


async def touch(hashes: Sequence[str], database: Database) -> None:
    """Say that ``hashes`` are in use, of each at most once an hour."""
    async with database.writes.begun() as connection:
        await _touch.rows(connection, hashes=list(hashes))
