"""From a document to its answer: may it run, and what runs it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType

from graphql_api.context import Context
from graphql_api.db.availability import Availability
from graphql_api.db.engine import Database, is_full, is_passing, is_refused, is_too_slow, root_of
from graphql_api.db.standbys import ANSWER_S, FAULTS, Standby, Standbys
from graphql_api.errors import ClientError
from graphql_api.execution.answer import AWAY, Answer, Stage, refused
from graphql_api.execution.document import Document, Documents
from graphql_api.execution.plans.plan import Planned
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.execution.reference import Reference
from graphql_api.execution.warming import sample
from graphql_api.limits.admission import Admission
from graphql_api.schema.build import Schema
from graphql_api.settings import Settings
from loaders.observer import Observer
from loaders.shared import SharedLoaders

logger = logging.getLogger("reviews")


class Executor:
    """Runs documents against one schema. ``documents`` makes them of texts.

    ``standbys`` may answer queries that say how new their rows must be. ``by_graphql_core`` counts the operations that
    graphql-core ran, by the reason why no plan did. ``observer`` is told of the loaders' batches and statements.
    """

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self.documents = Documents(schema, settings)
        self.availability = Availability(settings)
        self.by_graphql_core: Counter[str] = Counter()
        self.by_plan = 0
        self._schema = schema
        self._settings = settings
        self._reference = Reference(schema, settings)
        self._compiled = settings.execution == "compiled"
        self._max_cost = settings.max_cost
        self._patience_s = settings.statement_timeout_ms / 1000
        self._loaders: SharedLoaders | None = None
        self.reads = Admission(settings.max_running, settings.max_queued, settings.queue_timeout_ms / 1000)
        # Eight a connection: votes of the moment share one, and none is idle while an answer is read or written down. A
        # review is worth waiting for.
        writing = 8 * settings.write_connections
        self.writes = Admission(writing, settings.max_queued, settings.request_timeout_ms / 1000)
        self._on_standbys: dict[Standby, SharedLoaders] = {}
        self.standbys: Standbys | None = None
        self.observer: Observer | None = None

    async def run(
        self,
        document: Document,
        context: Context,
        *,
        variables: dict[str, Any],
        operation_name: str | None,
        mutations: bool,
    ) -> Answer:
        """The answer to ``document``. Unless ``mutations`` are allowed, one is refused at ``Stage.METHOD``.

        Raises ``OverloadedError`` where there is no room for it.
        """
        operation = self._allowed(document, context, variables, operation_name, mutations=mutations)
        if isinstance(operation, Answer):
            return operation
        is_query = operation.operation is OperationType.QUERY
        # A mutation holds one connection, whatever it answers.
        admission, places = (self.reads, self.reads.places_of(context.cost)) if is_query else (self.writes, 1)
        if not admission.entered(places):
            await admission.enter(places)
        try:
            was_away = self.availability.is_away
            if was_away and not is_query:
                return AWAY
            planned = self._planned(document, operation) if self._compiled else "reference"
            if isinstance(planned, Planned):
                if was_away:
                    return AWAY
                try:
                    answered = None if context.after is None else await self._by_standby(planned, variables, context)
                    body, tags = answered or await planned.run(variables, self._shared(context.database), context)
                except UnsupportedError as error:
                    reason = error.reason
                except Exception as error:  # noqa: BLE001 - whatever it is, graphql-core says where it belongs
                    reason = self._failed(error, context)
                    if context.changed is None and (self.availability.is_away or is_full(error)):
                        # To say where the error belongs would cost a run of graphql-core, some 3 ms for each of those
                        # that the database has left at the same moment: they would wait for each other.
                        return AWAY
                else:
                    self.by_plan += 1
                    return Answer(Stage.EXECUTION, body, clean=True, tags=tags, changed=context.changed)
            else:
                reason = planned
            self.by_graphql_core[reason] += 1
            answer = await self._reference.run(document, operation_name, variables, context)
            return answer._replace(tags=context.tags(), changed=context.changed)
        finally:
            admission.leave(places)

    def _allowed(
        self,
        document: Document,
        context: Context,
        variables: dict[str, Any],
        operation_name: str | None,
        *,
        mutations: bool,
    ) -> OperationDefinitionNode | Answer:
        """The operation that is asked for, or the refusal."""
        operation = document.operation(operation_name)
        if isinstance(operation, GraphQLError):
            return refused(Stage.OPERATION, [operation])
        observed = context.observation
        if observed is not None:
            observed.operation = operation
        if operation.operation is not OperationType.QUERY and not mutations:
            return refused(Stage.METHOD, [GraphQLError("A mutation must be sent with POST.")])
        cost = document.cost(operation, variables, self._max_cost)
        context.cost = cost
        if observed is not None:
            observed.cost = cost
        if cost > self._max_cost:
            message = (
                f"The answer could hold more than {self._max_cost} objects: ask for smaller pages or fewer levels."
            )
            return refused(Stage.COST, [GraphQLError(message)])
        return operation

    async def _by_standby(
        self, planned: Planned, variables: dict[str, Any], context: Context
    ) -> tuple[bytes, set[str]] | None:
        """The answer's body and tags from a standby that has reached ``context.after``; ``None``: ask the primary.

        Its loaders are its own: a batch has keys of those requests only whose place it has reached.
        """
        if self.standbys is None or context.after is None or planned.writes:
            return None
        standby = await self.standbys.that_reached(context.after)
        if standby is None:
            return None
        loaders = self._on_standbys.get(standby)
        if loaders is None:
            loaders = self._on_standbys[standby] = SharedLoaders(standby.reads, self._patience_s, self.observer)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await planned.run(variables, loaders, context)
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
                if isinstance(planned, Planned) and not planned.writes and values is not None:
                    context = Context(database, self._settings, "warming")
                    try:
                        await planned.run(values, self._shared(database), context)
                    except Exception as error:
                        if is_passing(error):
                            raise

    def _shared(self, database: Database) -> SharedLoaders:
        """The loaders of this process on the open database."""
        reads = database.reads
        if self._loaders is None or self._loaders.reads is not reads:
            self._loaders = SharedLoaders(reads, self._patience_s, self.observer)
        return self._loaders

    def unused_connections(self, standby: Standby | None = None) -> int:
        """How many connections its loaders keep to that database, the primary without one, that no batch has."""
        loaders = self._loaders if standby is None else self._on_standbys.get(standby)
        return 0 if loaders is None else loaders.unused_connections

    async def close(self) -> None:
        """Give the database's connections back, before it is closed."""
        await self.availability.close()
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
            self.availability.lost(type(root_of(error)).__name__)
        if is_passing(error) or is_too_slow(error):
            context.fail(error)
            return "database"
        logger.debug("%s: a plan ended", context.request_id, exc_info=error)
        return "failure"
