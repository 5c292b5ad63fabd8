"""A plan: one operation, compiled for one choice of what is included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import orjson
from graphql import (
    DirectiveNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)

from graphql_api.context import Context
from graphql_api.execution.document import Document
from graphql_api.execution.plans.arguments import Arguments
from graphql_api.execution.plans.compiler import Compiler
from graphql_api.execution.plans.loading import Loading
from graphql_api.execution.plans.selection import Selection
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.execution.plans.variables import Variables
from graphql_api.schema.build import Schema
from loaders.shared import SharedLoaders

_MOST_FLAGS = 4
# A plan takes 11 bytes a character of its source (tracemalloc), and a product page's has 6,000. So a document's plans
# take 360 KB at the most, whatever fragments and conditions make of a short text.
_LONGEST = 32_768


class Plan:
    """``text`` is the function's source, for people.

    ``data(None, values, loading)`` gives an operation's data for its coerced variables. Whatever it raises says that
    graphql-core should run the operation.
    """

    __slots__ = ("data", "text")

    def __init__(self, text: str, constants: dict[str, Any]) -> None:
        self.text = text
        names = dict(constants)
        exec(compile(text, "<plan>", "exec"), names)  # noqa: S102 - our own text: names and literals of the document only
        self.data: Callable[[None, dict[str, Any], Loading], Awaitable[dict[str, Any]]] = names["run"]


class Planned:
    """The plans of one operation: one for each way in which ``@skip`` and ``@include`` can fall out.

    Raises ``UnsupportedError`` for an operation that has none.
    """

    def __init__(self, schema: Schema, document: Document, operation: OperationDefinitionNode) -> None:
        self.writes = operation.operation is not OperationType.QUERY
        self._schema = schema
        self._document = document
        self._operation = operation
        self._flags = _flags(document, operation)
        if len(self._flags) > _MOST_FLAGS:
            raise UnsupportedError("too many conditions")
        self.variables = Variables(schema.graphql_schema, operation)
        self._plans: dict[tuple[Any, ...], Plan | UnsupportedError] = {}
        if not self._flags:
            self.plan({})

    def plan(self, values: dict[str, Any]) -> Plan:
        """The plan for these coerced variables. That there is none is remembered as well."""
        choice = tuple([values.get(name) for name in self._flags]) if self._flags else ()
        plan = self._plans.get(choice)
        if plan is None:
            if not all(isinstance(flag, bool) for flag in choice):
                raise UnsupportedError("variables")
            flags = {name: bool(flag) for name, flag in zip(self._flags, choice, strict=True)}
            try:
                plan = self._compiled(flags)
            except UnsupportedError as error:
                plan = error
            self._plans[choice] = plan
        if isinstance(plan, UnsupportedError):
            raise UnsupportedError(plan.reason)
        return plan

    def _compiled(self, flags: dict[str, bool]) -> Plan:
        selection = Selection(self._schema.graphql_schema, self._document, self._operation, flags)
        if self.writes and len(selection.fields) > 1:
            raise UnsupportedError("several mutations")
        arguments = Arguments(self._schema, self.variables)
        text, constants = Compiler(self._schema.graphql_schema, selection, arguments).compile()
        self._document.planned_characters += len(text)
        if self._document.planned_characters > _LONGEST:
            raise UnsupportedError("too large")
        return Plan(text, constants)

    async def run(self, raw: dict[str, Any], loaders: SharedLoaders, context: Context) -> tuple[bytes, set[str]]:
        """The response's body for the variables as they were sent, and a query's tags. Raises as ``Plan.data`` does.

        What a mutation came to stays in ``context``, for whoever writes the answer if this does not.
        """
        values = self.variables.coerced(raw)
        if values is None:
            raise UnsupportedError("variables")
        if self.writes:
            context.shared = loaders
        loading = Loading(loaders, self.variables, raw, context)
        try:
            data = await self.plan(values).data(None, values, loading)
            if loading.asker is not None:
                loading.asker.settled = perf_counter()
            body = orjson.dumps({"data": data})
        except BaseException:
            loading.abandon()
            raise
        return body, set() if self.writes else loading.tags()


def _flags(document: Document, operation: OperationDefinitionNode) -> list[str]:
    """The variables that decide what of ``operation`` is included, by name."""
    fragments = {one.name.value: one for one in document.node.definitions if isinstance(one, FragmentDefinitionNode)}
    names: set[str] = set()
    spread: set[str] = set()

    class Finder(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in {GraphQLSkipDirective.name, GraphQLIncludeDirective.name}:
                given = [one.value for one in node.arguments or ()]
                names.update(value.name.value for value in given if isinstance(value, VariableNode))

        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
            if node.name.value not in spread:
                spread.add(node.name.value)
                visit(fragments[node.name.value], Finder())

    visit(operation, Finder())
    return sorted(names)
