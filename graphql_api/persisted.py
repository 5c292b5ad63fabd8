"""Which persisted operation a request names: four ways to say it, one id.

An id is the lower-case SHA-256 of the document's text in hexadecimal, or what a manifest calls a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql_api.documents.hashes import is_hash
from graphql_api.http_error import HttpError

_HASH = "sha256:"
VERSION = 1
MISMATCH = "provided sha does not match query"  # Apollo's words


def document_id_of(parameters: Mapping[str, Any]) -> str | None:
    """The id in the parameters of a request, ``None`` where there is none. Raises ``HttpError`` 400.

    Sources: Apollo's automatic persisted queries (``extensions.persistedQuery``), the appendix on persisted documents
    of GraphQL over HTTP (``documentId``), Relay's network layers (``id``, ``doc_id``, ``documentId``).
    """
    extensions = parameters.get("extensions")
    persisted = extensions.get("persistedQuery") if extensions else None
    found = None if persisted is None else _automatic(persisted)
    if found is not None and parameters.get("query") and not is_hash(found):
        raise HttpError(400, MISMATCH)
    for name in ("documentId", "id", "doc_id"):
        given = parameters.get(name)
        if given is None or given == "":
            continue
        if not isinstance(given, str):
            raise HttpError(400, f"`{name}` must be a string.")
        given = given.removeprefix(_HASH)
        if not given:
            raise HttpError(400, f"`{name}` names no document: the SHA-256 of one in hexadecimal follows `{_HASH}`.")
        if found is not None and found != given:
            raise HttpError(400, "The request names two documents: leave one out.")
        found = given
    return found


def _automatic(persisted: Any) -> str:
    if not isinstance(persisted, dict):
        raise HttpError(400, "`extensions.persistedQuery` must be an object.")
    version = persisted.get("version")
    if version != VERSION or isinstance(version, bool):
        raise HttpError(400, "Unsupported persisted query version")
    sent = persisted.get("sha256Hash")
    if not isinstance(sent, str) or not sent:
        raise HttpError(
            400, "`extensions.persistedQuery.sha256Hash` must be the SHA-256 of the document in hexadecimal."
        )
    return sent
