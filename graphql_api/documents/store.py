"""The persisted operations of a process: trusted ones from files, automatic ones from PostgreSQL.

What a client registers at one replica, every other knows at once: it is a row. What a process keeps in memory is the
parsed form.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict

from sqlalchemy import Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.engine import Database
from graphql_api.db.models import StoredDocument
from graphql_api.documents.trusted import BrokenDocumentError, Trusted, files_of, trusted_in
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.settings import Settings
from loaders.batch import argument
from loaders.statement import Statement

# A parsed document takes some 120 times the memory of its text, and its plans as much again: 300 MB at the most.
_MOST_IN_MEMORY = 1000
_MOST_CHARACTERS = 1_250_000
_LONGEST = 100_000
_HASH = re.compile(r"[0-9a-f]{64}")
_REWRITTEN_S = 1.0
_TOUCHED_S = 3600.0

_by_hash = Statement(
    "document by hash", select(StoredDocument.body).where(StoredDocument.sha256 == argument("sha256", Text()))
)


class Store:
    """``trusted`` are the documents of files. Raises ``OperatorError`` for a file with a broken one.

    In memory, by hash: at most 1,000 automatic documents of 1,250,000 characters together, the least recently used
    one pushed out; none of them ever goes stale, as a hash stands for one text.
    """

    def __init__(self, documents: Documents, settings: Settings) -> None:
        self._documents = documents
        self._most = settings.max_documents
        self.trusted: list[Trusted] = []
        self._by_id: dict[str, Document] = {}
        self._near: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0
        self._finding: dict[str, asyncio.Task[Document | None]] = {}
        self._written: OrderedDict[str, float] = OrderedDict()
        self._used: set[str] = set()
        self._touched = time.monotonic()
        for found in trusted_in(files_of(settings), documents, settings.max_cost):
            if isinstance(found, BrokenDocumentError):
                raise found
            self._trust(found)

    def _trust(self, found: Trusted) -> None:
        self.trusted.append(found)
        document = self._by_id.setdefault(found.document.sha256, found.document)
        id_ = found.shipped.id
        if id_ is None:
            return
        if self._by_id.setdefault(id_, document).sha256 != document.sha256:
            raise BrokenDocumentError(
                f"{found.shipped.file}, {id_}: another file has given this id to another document."
            )

    def known(self, id_: str) -> Document | None:
        """The document of a hash or of a manifest's id, if it is in memory."""
        document = self._by_id.get(id_)
        if document is None:
            document = self._near.get(id_)
            if document is not None:
                self._near.move_to_end(id_)
                self._used.add(id_)
        return document

    def is_trusted(self, document: Document) -> bool:
        """Whether a file has brought it."""
        return document.sha256 in self._by_id

    async def find(self, id_: str, database: Database) -> Document | None:
        """The document of ``id_``, in memory or in the table. Raises what the database raises."""
        document = self.known(id_)
        if document is not None or not _HASH.fullmatch(id_):
            return document
        task = self._finding.get(id_)
        if task is None:
            task = self._finding[id_] = asyncio.create_task(self._read(id_, database))
            task.add_done_callback(lambda _: self._finding.pop(id_, None))
        # Whoever asks together shares one statement; one that is cancelled does not end it for the others.
        return await asyncio.shield(task)

    async def _read(self, sha256: str, database: Database) -> Document | None:
        rows = await _by_hash.fetch(database.reads, sha256=sha256)
        document = self._documents.of(rows[0][0]) if rows else None
        # A text that no longer validates, as the schema went on, is as good as unknown: who sends it will be told.
        if document is None or isinstance(document, Answer):
            return None
        self._keep(document)
        self._used.add(sha256)
        return document

    async def register(self, document: Document, database: Database) -> None:
        """Store an automatic document. One of more than 100,000 characters is not stored, and runs all the same.

        Always written, known here or not: a client registers after a miss, and so the table has lost it.
        """
        sha256, now = document.sha256, time.monotonic()
        if len(document.text) > _LONGEST or now - self._written.get(sha256, -_REWRITTEN_S) < _REWRITTEN_S:
            return
        stored = insert(StoredDocument).values(sha256=sha256, body=document.text)
        stored = stored.on_conflict_do_update(index_elements=["sha256"], set_={"last_used_at": func.now()})
        beyond = (
            select(StoredDocument.sha256)
            .order_by(StoredDocument.last_used_at.desc(), StoredDocument.sha256.desc())
            .offset(self._most)
        )
        async with database.writes.begin() as connection:
            await connection.execute(stored)
            await self._touch(connection, now)
            await connection.execute(delete(StoredDocument).where(StoredDocument.sha256.in_(beyond)))
        self._written[sha256] = now
        if len(self._written) > _MOST_IN_MEMORY:
            self._written.popitem(last=False)
        self._keep(document)

    async def _touch(self, connection: AsyncConnection, now: float) -> None:
        """Once an hour, before anything is pushed out: say which documents are in use here."""
        if now - self._touched < _TOUCHED_S or not self._used:
            return
        self._touched = now
        used, self._used = sorted(self._used), set()
        await connection.execute(
            update(StoredDocument).where(StoredDocument.sha256.in_(used)).values(last_used_at=func.now())
        )

    def _keep(self, document: Document) -> None:
        if document.sha256 in self._by_id or document.sha256 in self._near:
            return
        self._near[document.sha256] = document
        self._characters += len(document.text)
        while len(self._near) > _MOST_IN_MEMORY or self._characters > _MOST_CHARACTERS:
            _, old = self._near.popitem(last=False)
            self._characters -= len(old.text)
