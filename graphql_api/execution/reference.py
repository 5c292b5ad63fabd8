"""Running an operation on graphql-core, with loaders that live as long as their request: the yardstick of plans."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from time import perf_counter
from typing import Any

from graphql import ExecutionResult, execute

from graphql_api.context import Context
from graphql_api.execution.answer import Answer, Stage, executed, refused
from graphql_api.execution.document import Document
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings


class Reference:
    """Executes documents as graphql-core does. Nothing is kept from one request to the next."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self._schema = schema.graphql_schema
        self._execution_context = schema.execution_context_class
        self._hide_suggestions = not settings.introspection

    async def run(
        self, document: Document, operation_name: str | None, variables: dict[str, Any], context: Context
    ) -> Answer:
        """The answer of the operation, which is in the document."""
        result = execute(
            self._schema,
            document.node,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            executor_class=self._execution_context,
            hide_suggestions=self._hide_suggestions,
        )
        if isawaitable(result):
            try:
                result = await result
            except asyncio.CancelledError:
                context.abandon()
                raise
        assert isinstance(result, ExecutionResult)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            return refused(Stage.VARIABLES, result.errors)
        if context.observation is not None:
            context.observation.settled = perf_counter()
        return executed(result.data, result.errors, context.request_id)
