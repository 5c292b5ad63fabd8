"""The persisted operations of a process: trusted ones from files, automatic ones from PostgreSQL.

What a client registers at one replica, every other knows at once: it is a row. What a process keeps in memory is the
parsed form.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from graphql_api.db.engine import Database
from graphql_api.documents import table
from graphql_api.documents.hashes import hash_of, is_hash
from graphql_api.documents.together import Together
from graphql_api.documents.trusted import BrokenDocumentError, Trusted, files_of, trusted_in
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

# A parsed document takes some 120 times the memory of its text, and its plans as much again: 300 MB at the most.
_MOST_IN_MEMORY = 1000
_MOST_CHARACTERS = 1_250_000
_REWRITTEN_S = 1.0
_TOUCHED_S = 60.0


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
        self._finding: Together[Document | None] = Together()
        self._writing: Together[None] = Together()
        self._written: OrderedDict[str, float] = OrderedDict()
        self._used: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._touching: asyncio.Task[None] | None = None
        for found in trusted_in(files_of(settings), documents, settings.max_cost):
            if isinstance(found, BrokenDocumentError):
                raise found
            self._trust(found)

    def _trust(self, found: Trusted) -> None:
        self.trusted.append(found)
        # A text that several files bring is one document, with its plans.
        document = self._by_id.get(found.document.sha256, found.document)
        document.persist()
        for name in (found.document.sha256, found.shipped.id):
            # An id may look like the hash of another text: what asks for a hash must get that text.
            if name is not None and self._by_id.setdefault(name, document).sha256 != found.document.sha256:
                raise BrokenDocumentError([f"{found.shipped.name}: another document of the files has the id {name}."])

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

    def trusted_text(self, text: str) -> Document | None:
        """The document of ``text``, if a file has brought it: parsed, and with its plans."""
        # A file's document is within the limit too, or it ends the start: one that is not need not be hashed.
        return None if self._documents.too_long(text) else self._by_id.get(hash_of(text))

    async def find(self, id_: str, database: Database) -> Document | None:
        """The document of ``id_``, in memory or in the table. Raises what the database raises.

        Whoever asks for the same one together shares one statement.
        """
        document = self.known(id_)
        if document is not None or not is_hash(id_):
            return document
        return await self._finding.run(id_, lambda: self._read(id_, database))

    async def _read(self, sha256: str, database: Database) -> Document | None:
        body = await table.read(sha256, database)
        document = None if body is None else self._documents.of(body)
        # A text that no longer validates, as the schema went on, is as good as unknown: who sends it will be told.
        # So is one that was changed in the table.
        if document is None or isinstance(document, Answer) or document.sha256 != sha256:
            return None
        self._keep(document, database)
        self._used.add(sha256)
        return document

    async def register(self, document: Document, database: Database) -> None:
        """Store an automatic document, unless the table cannot hold it. It runs all the same.

        Written whether known here or not, once a second: a client registers after a miss, so the table has lost it.
        """
        if self.is_trusted(document) or not table.is_storable(document.text):
            return
        if time.monotonic() - self._written.get(document.sha256, -_REWRITTEN_S) < _REWRITTEN_S:
            return
        await self._writing.run(document.sha256, lambda: self._write(document, database))

    async def _write(self, document: Document, database: Database) -> None:
        await table.write(document.sha256, document.text, database, self._most)
        self._written[document.sha256] = time.monotonic()
        self._written.move_to_end(document.sha256)
        if len(self._written) > _MOST_IN_MEMORY:
            self._written.popitem(last=False)
        self._keep(document, database)

    def _keep(self, document: Document, database: Database) -> None:
        document.persist()
        if document.sha256 not in self._near:
            self._near[document.sha256] = document
            self._characters += len(document.text)
        self._near.move_to_end(document.sha256)
        while len(self._near) > _MOST_IN_MEMORY or self._characters > _MOST_CHARACTERS:
            _, old = self._near.popitem(last=False)
            self._characters -= len(old.text)
        if len(self._used) > _MOST_IN_MEMORY:
            self._touch(database)
        elif self._timer is None:
            self._touch_later(database)

    def _touch_later(self, database: Database) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TOUCHED_S, self._touch, database)

    def _touch(self, database: Database) -> None:
        """Begin to write which documents are in use here, so that the table pushes others out. No request waits."""
        if self._timer is not None:
            self._timer.cancel()
        used, self._used = sorted(self._used), set()
        if used:
            self._touching = asyncio.create_task(self._write_uses(used, database))
        self._touch_later(database)

    async def _write_uses(self, used: list[str], database: Database) -> None:
        try:
            await table.touch(used, database)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next minute has another
            logger.warning("It is not written which documents are in use: %s", type(error).__name__)
