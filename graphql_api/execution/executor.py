"""From a document to its answer: may it run, and what runs it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType

from graphql_api.context import Context
from graphql_api.db.engine import Database, is_passing, is_refused, is_too_slow
from graphql_api.db.standbys import ANSWER_S, FAULTS, Standby, Standbys
from graphql_api.errors import ClientError
from graphql_api.execution.answer import AWAY, Answer, Stage, refused
from graphql_api.execution.document import Document, Documents
from graphql_api.execution.plans.plan import Planned
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.execution.reference import Reference
from graphql_api.execution.warming import sample
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings
from loaders.shared import SharedLoaders

logger = logging.getLogger("reviews")

AWAY_S = 0.05
"""After the database refused a connection, queries are refused for so long without asking it again. Each that asks
costs a run of graphql-core to say where its errors belong, some 3 ms: sixty clients would wait 300 ms for a refusal."""


class Executor:
    """Runs documents against one schema. ``documents`` makes them of texts.

    ``standbys`` may answer queries that say how new their rows must be. ``by_graphql_core`` counts the operations that
    graphql-core ran, by the reason why no plan did.
    """

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self.documents = Documents(schema, settings)
        self._away_until = 0.0
        self.by_graphql_core: Counter[str] = Counter()
        self.by_plan = 0
        self._schema = schema
        self._reference = Reference(schema, settings)
        self._compiled = settings.execution == "compiled"
        self._max_cost = settings.max_cost
        self._patience_s = settings.statement_timeout_ms / 1000
        self._loaders: SharedLoaders | None = None
        self._on_standbys: dict[Standby, SharedLoaders] = {}
        self.standbys: Standbys | None = None

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
        if document.cost(operation, variables, self._max_cost) > self._max_cost:
            message = (
                f"The answer could hold more than {self._max_cost} objects: ask for smaller pages or fewer levels."
            )
            return refused(Stage.COST, [GraphQLError(message)])
        reason = "reference"
        if self._compiled:
            planned = self._planned(document, operation)
            if isinstance(planned, Planned):
                if self._away_until and asyncio.get_running_loop().time() < self._away_until:
                    return AWAY
                try:
                    body, tags = await self._run_plan(planned, variables, context)
                except UnsupportedError as error:
                    reason = error.reason
                except Exception as error:  # noqa: BLE001 - whatever it is, graphql-core says where it belongs
                    reason = self._failed(error, context)
                else:
                    self.by_plan += 1
                    return Answer(Stage.EXECUTION, body, clean=True, tags=tags)
            else:
                reason = planned
        self.by_graphql_core[reason] += 1
        answer = await self._reference.run(document, operation_name, variables, context)
        return replace(answer, tags=context.tags(), changed=context.changed)

    async def _run_plan(self, planned: Planned, variables: dict[str, Any], context: Context) -> tuple[bytes, set[str]]:
        """The answer's body and tags, from a standby that is far enough where the request says how far that is."""
        if context.after is not None and self.standbys is not None:
            standby = await self.standbys.that_reached(context.after)
            if standby is not None:
                answered = await self._run_on(standby, planned, variables)
                if answered is not None:
                    return answered
        return await planned.run(variables, self._shared(context.database))

    async def _run_on(
        self, standby: Standby, planned: Planned, variables: dict[str, Any]
    ) -> tuple[bytes, set[str]] | None:
        """The same from ``standby``; ``None`` where it failed, and the primary should be asked.

        Its loaders are its own: a batch has keys of those requests only whose place it has reached.
        """
        loaders = self._on_standbys.get(standby)
        if loaders is None:
            loaders = self._on_standbys[standby] = SharedLoaders(standby.reads, self._patience_s)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await planned.run(variables, loaders)
        except FAULTS as error:
            standby.leave_out(error)
            return None

    def plan_ahead(self, document: Document) -> None:
        """Compile the operations of ``document`` now, so that its first request does not wait for it."""
        if self._compiled:
            for operation in document.operations.values():
                self._planned(document, operation)

    async def warm(self, documents: Iterable[Document], database: Database) -> None:
        """Run the queries among ``documents`` once: connections are open then, and their statements prepared.

        Raises where the database is away; whatever else is wrong is for the request that asks for it. Where
        graphql-core runs everything, nothing is kept that could be warm.
        """
        for document in documents if self._compiled else ():
            for operation in document.operations.values():
                planned, values = self._planned(document, operation), sample(operation)
                if isinstance(planned, Planned) and values is not None:
                    try:
                        await planned.run(values, self._shared(database))
                    except Exception as error:
                        if is_passing(error):
                            raise

    def _shared(self, database: Database) -> SharedLoaders:
        """The loaders of this process on the open database."""
        reads = database.reads
        if self._loaders is None or self._loaders.reads is not reads:
            self._loaders = SharedLoaders(reads, self._patience_s)
        return self._loaders

    async def close(self) -> None:
        """Give the database's connections back, before it is closed."""
        for loaders in self._on_standbys.values():
            await loaders.close()
        self._on_standbys.clear()
        if self._loaders is not None:
            await self._loaders.close()

    def _planned(self, document: Document, operation: OperationDefinitionNode) -> Planned | str:
        """The plans of ``operation``, made on first sight, or the reason why it has none."""
        planned = document.planned.get(id(operation))
        if planned is None:
            try:
                planned = Planned(self._schema, document, operation)
            except UnsupportedError as error:
                planned = error.reason
            except Exception:
                logger.exception("An operation could not be compiled; graphql-core runs it")
                planned = "failure"
            document.planned[id(operation)] = planned
        return planned

    def _failed(self, error: Exception, context: Context) -> str:
        """Why a plan ended. A database that is away or too slow is not asked again for the same request."""
        if isinstance(error, ClientError | GraphQLError):
            return "error"
        if is_refused(error):
            self._away_until = asyncio.get_running_loop().time() + AWAY_S
        if is_passing(error) or is_too_slow(error):
            context.fail(error)
            return "database"
        logger.debug("%s: a plan ended", context.request_id, exc_info=error)
        return "failure"
