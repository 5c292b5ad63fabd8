"""A document that parsed and validated: what a hash stands for, and what a plan is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    Undefined,
    parse,
    specified_rules,
    validate,
)

from graphql_api.execution.answer import Answer, Stage, refused
from graphql_api.limits.cost import Cost, size_of, sizing_variables
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings

_MAX_ERRORS = 20
# A parsed document takes some 120 times the memory of its text: 200 of the longest that are kept, 240 MB.
_KEPT_DOCUMENTS = 200
_LONGEST_KEPT = 10_000
_KEPT_COSTS = 64


@dataclass(slots=True, eq=False)
class Document:
    """``sha256`` is the lower-case hexadecimal hash of ``text`` in UTF-8."""

    text: str
    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    sha256: str = field(init=False)
    planned: dict[int, Any] = field(init=False, default_factory=dict)
    """What was compiled of each operation, by its ``id``, or the word that says why nothing was.

    A node hashes by all that is below it, which takes longer than to run a plan.
    """
    planned_characters: int = field(init=False, default=0)
    """Of the sources of its plans, together."""
    _costs: dict[tuple[Any, ...], int] = field(init=False, default_factory=dict)
    _sizing: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()
        self._sizing = sizing_variables(self.node)

    def operation(self, name: str | None) -> OperationDefinitionNode | GraphQLError:
        """The operation of that name, or the only one; an error that says what is wrong."""
        if name is not None:
            return self.operations.get(name) or GraphQLError(f"The document has no operation named {name!r}.")
        if len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if not self.operations:
            return GraphQLError("The document has no operation.")
        return GraphQLError("The document has several operations: say which one with `operationName`.")

    def cost(self, operation: OperationDefinitionNode, variables: Mapping[str, Any], limit: int) -> int:
        """The most objects that the operation's answer can hold, or, beyond ``limit``, some number beyond it.

        Kept for the 64 combinations of page sizes that came first.
        """
        sizes = tuple([size_of(variables.get(name, Undefined)) for name in self._sizing])
        key = (id(operation), *sizes)
        cost = self._costs.get(key)
        if cost is None:
            cost = Cost(self.node, variables, limit).of(operation)
            if len(self._costs) < _KEPT_COSTS:
                self._costs[key] = cost
        return cost


class Documents:
    """Makes documents of texts. The 200 most recently used are kept, but for those over 10,000 characters."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self._schema = schema.graphql_schema
        self._max_tokens = settings.max_tokens
        # Whoever may not read the schema is not told by suggestions what is in it.
        self._hide_suggestions = not settings.introspection
        self._rules = specified_rules if settings.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._kept = lru_cache(maxsize=_KEPT_DOCUMENTS)(self.make)

    def of(self, text: str) -> Document | Answer:
        """The document of ``text``, or the answer that says why it is none."""
        return self._kept(text) if len(text) <= _LONGEST_KEPT else self.make(text)

    def make(self, text: str) -> Document | Answer:
        """The same, and nothing kept."""
        try:
            node = parse(text, max_tokens=self._max_tokens)
        except GraphQLSyntaxError as error:
            return refused(Stage.PARSING, [error])
        errors = validate(
            self._schema, node, self._rules, max_errors=_MAX_ERRORS, hide_suggestions=self._hide_suggestions
        )
        return refused(Stage.VALIDATION, errors) if errors else Document(text, node, _operations(node))


def _operations(node: DocumentNode) -> dict[str | None, Any]:
    return {
        operation.name.value if operation.name else None: operation
        for operation in node.definitions
        if isinstance(operation, OperationDefinitionNode)
    }
