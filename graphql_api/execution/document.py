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
    OperationType,
    Undefined,
    parse,
    specified_rules,
    validate,
)

from graphql_api.execution.answer import Answer, Stage, refused
from graphql_api.limits.cost import Cost, size_of, sizing_variables
from graphql_api.limits.shape import Bounds, beyond
from graphql_api.schema.build import Schema
from graphql_api.schema.objects import Objects, objects_of
from graphql_api.settings import Settings

_MAX_ERRORS = 10
# A parsed document takes some 120 times the memory of its text: 200 of the longest that are kept, 240 MB.
_KEPT_DOCUMENTS = 200
_LONGEST_KEPT = 10_000
_KEPT_COSTS = 64
_ANY_COST = 10**18


@dataclass(slots=True, eq=False)
class Document:
    """``sha256`` is the lower-case hexadecimal hash of ``text`` in UTF-8."""

    text: str
    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    objects: Objects = field(repr=False)
    sha256: str = field(init=False)
    planned: dict[int, Any] = field(init=False, default_factory=dict)
    """What was compiled of each operation, by its ``id``, or the word that says why nothing was.

    A node hashes by all that is below it, which takes longer than to run a plan.
    """
    figures: dict[int, Any] = field(init=False, default_factory=dict)
    """Where requests of each operation are counted, by the same."""
    planned_characters: int = field(init=False, default=0)
    """Of the sources of its plans, together."""
    is_persisted: bool = field(init=False, default=False)
    """Whether a hash stands for it. Its plans may have statements of their own then, which take longer to make."""
    _costs: dict[tuple[Any, ...], int] = field(init=False, default_factory=dict)
    _sizing: list[str] = field(init=False)
    _only: OperationDefinitionNode | None = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()
        self._sizing = sizing_variables(self.node)
        self._only = next(iter(self.operations.values())) if len(self.operations) == 1 else None

    def persist(self) -> None:
        """From now on a hash stands for it."""
        if not self.is_persisted:
            self.is_persisted = True
            self.planned.clear()
            self.planned_characters = 0

    def operation(self, name: str | None) -> OperationDefinitionNode | GraphQLError:
        """The operation of that name, or the only one; an error that says what is wrong."""
        if name is not None:
            return self.operations.get(name) or GraphQLError(f"The document has no operation named {name!r}.")
        if self._only is not None:
            return self._only
        if not self.operations:
            return GraphQLError("The document has no operation.")
        return GraphQLError("The document has several operations: say which one with `operationName`.")

    def mutates(self, name: str | None) -> bool:
        """Whether the operation of that name, or the only one, is a mutation."""
        operation = self.operation(name)
        return isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION

    def cost(self, operation: OperationDefinitionNode, variables: Mapping[str, Any], limit: int) -> int:
        """The most objects that the operation's answer can hold, or, beyond ``limit``, some number beyond it.

        Kept for the 64 combinations of page sizes that came first.
        """
        sizes = tuple([size_of(variables.get(name, Undefined)) for name in self._sizing])
        key = (id(operation), *sizes)
        cost = self._costs.get(key)
        if cost is None:
            cost = Cost(self.node, variables, limit, self.objects).of(operation)
            if len(self._costs) < _KEPT_COSTS:
                self._costs[key] = cost
        return cost

    def whole_cost(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """The same without a limit, and not kept."""
        return Cost(self.node, variables, _ANY_COST, self.objects).of(operation)


class Documents:
    """Makes documents of texts. The 200 most recently used are kept, but for those over 10,000 characters."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self._schema = schema.graphql_schema
        self._objects = objects_of(self._schema)
        self._max_bytes = settings.max_document_bytes
        self._max_tokens = settings.max_tokens
        self._bounds = Bounds(
            depth=settings.max_depth,
            fields=settings.max_fields,
            aliases=settings.max_aliases,
            root_fields=settings.max_root_fields,
            equal_fields=settings.max_equal_fields,
            spreads=settings.max_spreads,
            directives=settings.max_directives,
        )
        # Whoever may not read the schema is not told by suggestions what is in it.
        self._hide_suggestions = not settings.introspection
        self._rules = specified_rules if settings.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._kept = lru_cache(maxsize=_KEPT_DOCUMENTS)(self.make)

    def of(self, text: str) -> Document | Answer:
        """The document of ``text``, or the answer that says why it is none."""
        return self._kept(text) if len(text) <= _LONGEST_KEPT else self.make(text)

    def too_long(self, text: str) -> Answer | None:
        """The refusal of a text that has too many bytes, before anything else is done with it."""
        # A character has one byte at the least and four at the most: most texts need not be encoded to be measured.
        if len(text) * 4 <= self._max_bytes:
            return None
        if len(text) <= self._max_bytes and len(text.encode(errors="replace")) <= self._max_bytes:
            return None
        message = f"The document has more than {self._max_bytes} bytes: send it in parts."
        return refused(Stage.PARSING, [GraphQLError(message)])

    def make(self, text: str) -> Document | Answer:
        """The same, and nothing kept."""
        too_long = self.too_long(text)
        if too_long is not None:
            return too_long
        try:
            node = parse(text, max_tokens=self._max_tokens)
        except GraphQLSyntaxError as error:
            return refused(Stage.PARSING, [error])
        # Before validation, which takes more than the square of what some texts hold.
        too_much = beyond(node, self._bounds)
        if too_much is not None:
            return refused(Stage.VALIDATION, [too_much])
        errors = validate(
            self._schema, node, self._rules, max_errors=_MAX_ERRORS, hide_suggestions=self._hide_suggestions
        )
        return refused(Stage.VALIDATION, errors) if errors else Document(text, node, _operations(node), self._objects)


def _operations(node: DocumentNode) -> dict[str | None, Any]:
    return {
        operation.name.value if operation.name else None: operation
        for operation in node.definitions
        if isinstance(operation, OperationDefinitionNode)
    }
