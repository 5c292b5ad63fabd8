"""Trusted documents: those of the shop's own front ends, from files, checked before the first request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from graphql_api.documents.manifests import Shipped, shipped_in
from graphql_api.errors import OperatorError
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.limits.cost import LARGEST, Cost, sizing_variables
from graphql_api.settings import Settings

OWN = Path(__file__).parent


@dataclass(frozen=True)
class Trusted:
    """A document that a file brings; ``cost`` is the most that one of its operations can cost, at full pages."""

    shipped: Shipped
    document: Document
    cost: int


class BrokenDocumentError(OperatorError):
    """A document of a file that cannot be run."""


def files_of(settings: Settings) -> Iterator[Path]:
    """Our own folder, then what ``REVIEWS_MANIFESTS`` names."""
    yield OWN
    for path in settings.manifests.split(os.pathsep):
        if path:
            yield Path(path)


def trusted_in(paths: Iterable[Path], documents: Documents, limit: int) -> Iterator[Trusted | BrokenDocumentError]:
    """Each document of ``paths``, or what is wrong with it. Raises ``OperatorError`` for a file that is no manifest."""
    for path in paths:
        for shipped in shipped_in(path):
            yield _checked(shipped, documents, limit)


def _checked(shipped: Shipped, documents: Documents, limit: int) -> Trusted | BrokenDocumentError:
    name = f"{shipped.file}" if shipped.id is None else f"{shipped.file}, {shipped.id}"
    document = documents.make(shipped.text)
    if isinstance(document, Answer):
        error = orjson.loads(document.body)["errors"][0]
        place = "".join(f":{at['line']}:{at['column']}" for at in error.get("locations", ())[:1])
        return BrokenDocumentError(f"{name}{place}: {error['message']}")
    if not document.operations:
        return BrokenDocumentError(f"{name}: there is no operation in it.")
    full = dict.fromkeys(sizing_variables(document.node), LARGEST)
    most = 0
    for operation in document.operations.values():
        if Cost(document.node, {}, limit).of(operation) > limit:
            return BrokenDocumentError(
                f"{name}: an answer could hold more than {limit} objects: ask for smaller pages."
            )
        most = max(most, Cost(document.node, full, 1_000_000_000).of(operation))
    return Trusted(shipped, document, most)
