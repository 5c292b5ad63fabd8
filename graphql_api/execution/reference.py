"""Running an operation on graphql-core: parsed and validated once a text, executed with the request's loaders."""

from __future__ import annotations

from functools import lru_cache
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    execute,
    parse,
    specified_rules,
    validate,
)

from graphql_api.context import Context
from graphql_api.execution.answer import Answer, Stage, executed, refused
from graphql_api.limits.cost import Cost
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings

_MAX_ERRORS = 20
# A parsed document takes some 120 times the memory of its text: 200 of the longest that are kept, 240 MB.
_KEPT_DOCUMENTS = 200
_LONGEST_KEPT = 10_000


class Executor:
    """Runs documents against one schema. The 200 most recently used documents are kept parsed.

    Longer ones than 10,000 characters are parsed each time.
    """

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self._schema = schema.graphql_schema
        self._execution_context = schema.execution_context_class
        self._max_tokens = settings.max_tokens
        self._max_cost = settings.max_cost
        # Whoever may not read the schema is not told by suggestions what is in it.
        self._hide_suggestions = not settings.introspection
        self._rules = specified_rules if settings.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._kept = lru_cache(maxsize=_KEPT_DOCUMENTS)(self._prepare)

    async def run(
        self,
        document: str,
        context: Context,
        *,
        variables: dict[str, Any],
        operation_name: str | None,
        mutations: bool,
    ) -> Answer:
        """The answer to ``document``. Unless ``mutations`` are allowed, one is refused at ``Stage.METHOD``."""
        prepared = self._kept(document) if len(document) <= _LONGEST_KEPT else self._prepare(document)
        if isinstance(prepared, Answer):
            return prepared
        operation = _operation(prepared, operation_name)
        if isinstance(operation, GraphQLError):
            return refused(Stage.OPERATION, [operation])
        if operation.operation is not OperationType.QUERY and not mutations:
            return refused(Stage.METHOD, [GraphQLError("A mutation must be sent with POST.")])
        if Cost(prepared, variables, self._max_cost).of(operation) > self._max_cost:
            message = (
                f"The answer could hold more than {self._max_cost} objects: ask for smaller pages or fewer levels."
            )
            return refused(Stage.COST, [GraphQLError(message)])
        result = execute(
            self._schema,
            prepared,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            executor_class=self._execution_context,
            hide_suggestions=self._hide_suggestions,
        )
        if isawaitable(result):
            result = await result
        assert isinstance(result, ExecutionResult)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            return refused(Stage.VARIABLES, result.errors)
        return executed(result.data, result.errors, context.request_id)

    def _prepare(self, text: str) -> DocumentNode | Answer:
        try:
            document = parse(text, max_tokens=self._max_tokens)
        except GraphQLSyntaxError as error:
            return refused(Stage.PARSING, [error])
        errors = validate(
            self._schema, document, self._rules, max_errors=_MAX_ERRORS, hide_suggestions=self._hide_suggestions
        )
        return refused(Stage.VALIDATION, errors) if errors else document


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        operations = [node for node in operations if node.name is not None and node.name.value == name]
    if len(operations) == 1:
        return operations[0]
    if name is not None:
        return GraphQLError(f"The document has no operation named {name!r}.")
    if not operations:
        return GraphQLError("The document has no operation.")
    return GraphQLError("The document has several operations: say which one with `operationName`.")
