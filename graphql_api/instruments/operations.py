"""Which operations have figures of their own: those of persisted documents, and no more than there is room for.

Whoever may send documents chooses their operations' names, so names are no labels. One of a document that the process
knows by its hash is, until there are ``MOST_OPERATIONS``; those of files have their place before the first request.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import OperationDefinitionNode

from graphql_api.instruments.families import Counter, Histogram
from graphql_api.instruments.observation import Observation

MOST_OPERATIONS = 200
LONGEST_NAME = 80
OTHER, AD_HOC = "other", "ad hoc"


class OperationFigures:
    """The cells of one operation; of an outcome from when it first happened."""

    __slots__ = ("_name", "_outcomes", "_requests", "_seconds")

    def __init__(self, name: str, requests: Counter, seconds: Histogram) -> None:
        self._name = name
        self._requests = requests
        self._seconds = seconds.cell(name)
        self._outcomes = {"ok": requests.cell(name, "ok")}

    def ended(self, outcome: str, seconds: float) -> None:
        """One more request."""
        count = self._outcomes.get(outcome)
        if count is None:
            count = self._outcomes[outcome] = self._requests.cell(self._name, outcome)
        count.value += 1
        self._seconds.observe(seconds)


class Operations:
    """The figures of each operation, made when it is first seen."""

    def __init__(self, requests: Counter, seconds: Histogram) -> None:
        self._requests = requests
        self._seconds = seconds
        self._by_name: dict[str, OperationFigures] = {}
        self._ad_hoc = OperationFigures(AD_HOC, requests, seconds)
        self._other = OperationFigures(OTHER, requests, seconds)

    def reserve(self, names: Iterable[str | None]) -> None:
        """Give the operations of these names their places."""
        for name in names:
            self._named(name)

    def of(self, observed: Observation) -> OperationFigures:
        """The figures that a request belongs to."""
        if observed.is_ad_hoc:
            return self._ad_hoc
        document, operation = observed.document, observed.operation
        if document is None or operation is None:
            return self._other
        # By id, as a node hashes by all that is below it; the document keeps its nodes.
        figures: OperationFigures | None = document.figures.get(id(operation))
        if figures is None:
            figures = document.figures[id(operation)] = self._named(name_of(operation))
        return figures

    def _named(self, name: str | None) -> OperationFigures:
        if name is None or name == OTHER or len(name) > LONGEST_NAME:
            return self._other
        figures = self._by_name.get(name)
        if figures is None:
            if len(self._by_name) >= MOST_OPERATIONS:
                return self._other
            figures = self._by_name[name] = OperationFigures(name, self._requests, self._seconds)
        return figures


def name_of(operation: OperationDefinitionNode) -> str | None:
    """The operation's name, if it has one."""
    return operation.name.value if operation.name else None
