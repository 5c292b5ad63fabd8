"""Which document a request means: by its text, by an id, or by both where a client registers it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from graphql_api.db.engine import Database, is_passing, is_too_slow, root_of
from graphql_api.documents.hashes import is_hash
from graphql_api.documents.store import Store
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.http_error import HttpError, unavailable
from graphql_api.instruments.instruments import Instruments
from graphql_api.instruments.observation import Observation
from graphql_api.persisted import MISMATCH
from graphql_api.settings import Settings

logger = logging.getLogger("reviews")

# What a look-up or a registration may come to on a database that is away, only reads, or has no table.
FAULTS = (
    OSError,
    TimeoutError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class RequestedDocuments:
    """Finds documents as the mode of ``settings`` allows. ``database`` gives the open database."""

    def __init__(
        self,
        documents: Documents,
        store: Store,
        settings: Settings,
        instruments: Instruments,
        database: Callable[[], Database],
    ) -> None:
        self._documents = documents
        self._store = store
        self._mode = settings.documents
        self._instruments = instruments
        self._database = database

    async def of(
        self, text: str | None, id_: str | None, trusted: Document | None, observed: Observation | None
    ) -> Document | Answer:
        """The document of a text, or of an id that is not in memory. Raises ``HttpError`` where none can be had.

        ``trusted`` is the document of ``text``, if a file has brought it.
        """
        if text is None:
            assert id_ is not None
            found = await self._found(id_) if self._mode == "automatic" else None
            self._instruments.document(observed, "found" if found else "missed", found)
            if found is None and self._mode == "any":
                raise HttpError(200, "PersistedQueryNotSupported", code="PERSISTED_QUERY_NOT_SUPPORTED")
            if found is None:
                raise HttpError(200, "PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
            return found
        document, result, is_ad_hoc = await self._of_text(text, id_, trusted)
        noted = None if isinstance(document, Answer) else document
        self._instruments.document(observed, result, noted, is_ad_hoc=is_ad_hoc)
        return document

    async def _of_text(
        self, text: str, id_: str | None, trusted: Document | None
    ) -> tuple[Document | Answer, str, bool]:
        """The document of a text, how it was come by, and whether no hash stands for it."""
        too_long = None if trusted else self._documents.too_long(text)
        if too_long is not None:
            return too_long, "text", True
        if self._mode == "trusted" and trusted is None:
            raise HttpError(400, "Only the documents of the shop's own front ends are run here: send the id of one.")
        document = trusted or self._documents.of(text)
        if id_ is None or isinstance(document, Answer):
            return document, "text", trusted is None
        meant = self._store.known(id_)
        if (meant or is_hash(id_)) and document.sha256 != (meant.sha256 if meant else id_):
            raise HttpError(400, MISMATCH)
        if self._mode == "automatic" and trusted is None and document.sha256 == id_ and await self._register(document):
            return document, "registered", False
        return document, "text", trusted is None

    async def _found(self, id_: str) -> Document | None:
        try:
            return await self._store.find(id_, self._database())
        except FAULTS as error:
            if not (is_passing(error) or is_too_slow(error)):
                raise
            logger.warning("The documents cannot be read: %s", type(error).__name__)
            # Never that the hash is unknown, or that there are none: clients would send the text, or stop for good.
            raise unavailable("The database does not answer: ask again later.") from error

    async def _register(self, document: Document) -> bool:
        """Whether it is stored."""
        try:
            await self._store.register(document, self._database())
        except FAULTS as error:
            # It runs all the same, and whoever misses it sends it again.
            logger.log(
                logging.WARNING if is_passing(error) else logging.ERROR,
                "A document cannot be stored: %s",
                type(root_of(error)).__name__,
            )
            return False
        return True
