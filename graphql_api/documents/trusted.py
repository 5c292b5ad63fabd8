"""Trusted documents: those of the shop's own front ends, from files, checked before the first request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from graphql_api.documents.manifests import Shipped, shipped_in
from graphql_api.errors import OperatorError
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.limits.cost import LARGEST, sizing_variables
from graphql_api.settings import Settings

OWN = Path(__file__).parent


@dataclass(frozen=True)
class Trusted:
    """A document that a file brings; ``costs`` are the most that each of its operations can cost, at full pages."""

    shipped: Shipped
    document: Document
    costs: Mapping[str | None, int]


class BrokenDocumentError(OperatorError):
    """A document of a file that cannot be run. ``problems`` has each with its place, and the sentence is the first."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems[0])
        self.problems = tuple(problems)


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
    document = documents.make(shipped.text)
    if isinstance(document, Answer):
        return BrokenDocumentError(problems_of(shipped.name, document))
    if not document.operations:
        return BrokenDocumentError([f"{shipped.name}:1:1: there is no operation in it."])
    problems = []
    for operation in document.operations.values():
        if document.whole_cost(operation, {}) > limit:
            assert operation.loc is not None  # the parser keeps places
            start = operation.loc.start_token
            problems.append(
                f"{shipped.name}:{start.line}:{start.column}: an answer could hold more than {limit:,} objects:"
                " ask for smaller pages."
            )
    if problems:
        return BrokenDocumentError(problems)
    full = dict.fromkeys(sizing_variables(document.node), LARGEST)
    costs = {name: document.whole_cost(one, full) for name, one in document.operations.items()}
    return Trusted(shipped, document, costs)


def problems_of(name: str, refusal: Answer) -> list[str]:
    """What is wrong with the document ``name``, each with its place, of the answer that refuses it."""
    return [f"{name}{_place(error)}: {error['message']}" for error in orjson.loads(refusal.body)["errors"]]


def _place(error: Mapping[str, Any]) -> str:
    """Line and column of the text. What is wrong with all of it, such as too many words, is so at its beginning."""
    at = error.get("locations") or [{"line": 1, "column": 1}]
    return f":{at[0]['line']}:{at[0]['column']}"
