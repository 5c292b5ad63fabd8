"""From a document to its answer: may it run, and what runs it."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError, OperationType

from graphql_api.context import Context
from graphql_api.execution.answer import Answer, Stage, refused
from graphql_api.execution.document import Document, Documents
from graphql_api.execution.reference import Reference
from graphql_api.limits.cost import Cost
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings


class Executor:
    """Runs documents against one schema. ``documents`` makes them of texts."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self.documents = Documents(schema, settings)
        self._reference = Reference(schema, settings)
        self._max_cost = settings.max_cost

    async def run(
        self,
        document: Document,
        context: Context,
        *,
        variables: dict[str, Any],
        operation_name: str | None,
        mutations: bool,
    ) -> Answer:
        """The answer to ``document``. Unless ``mutations`` are allowed, one is refused at ``Stage.METHOD``."""
        operation = document.operation(operation_name)
        if isinstance(operation, GraphQLError):
            return refused(Stage.OPERATION, [operation])
        if operation.operation is not OperationType.QUERY and not mutations:
            return refused(Stage.METHOD, [GraphQLError("A mutation must be sent with POST.")])
        if Cost(document.node, variables, self._max_cost).of(operation) > self._max_cost:
            message = (
                f"The answer could hold more than {self._max_cost} objects: ask for smaller pages or fewer levels."
            )
            return refused(Stage.COST, [GraphQLError(message)])
        return await self._reference.run(document, operation_name, variables, context)
