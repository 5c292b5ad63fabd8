"""What becomes of an operation: its price, its plan, the statements of one run, and what the answer would carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import OperationDefinitionNode, OperationType
from graphql.execution.values import get_variable_values

from graphql_api.context import Context
from graphql_api.db.engine import AWAY, Database, check_revision, check_server, open_database, shown
from graphql_api.errors import DatabaseUnavailableError, OperatorError
from graphql_api.execution.answer import Answer, Stage
from graphql_api.execution.document import Document
from graphql_api.execution.executor import Executor
from graphql_api.execution.plans.plan import Planned
from graphql_api.execution.plans.selection import Selection
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.explaining.asked import Asked, document_of, operation_of
from graphql_api.explaining.query_plan import query_plan
from graphql_api.explaining.recording import Recorder, statement_names
from graphql_api.explaining.tree import Step, Tree
from graphql_api.schema.build import Schema, build_schema
from graphql_api.settings import Settings


@dataclass(frozen=True)
class Explained:
    """A statement that ran: its milliseconds, ``None`` where it failed, and the lines of PostgreSQL's EXPLAIN of it."""

    name: str
    sql: str
    keys: tuple[Any, ...]
    rows: int
    ms: float | None
    explain: list[str]


@dataclass(frozen=True)
class Answered:
    """The answer of the run: the bytes of its body, its tags, and the messages of its errors."""

    size: int
    tags: list[str]
    errors: list[str]


@dataclass
class Explanation:
    """``reason``: why graphql-core runs it, in the words of the metric that counts them; ``None``: a plan does.

    ``not_run``: why nothing was run, a sentence; there are no statements then, and no answer.
    """

    operation: str | None
    kind: str
    sha256: str
    cost: int
    most: int
    reason: str | None
    steps: tuple[Step, ...]
    not_run: str | None = None
    statements: list[Explained] = field(default_factory=list)
    answer: Answered | None = None


async def explain(url: str, settings: Settings, asked: Asked, *, analyze: bool) -> Explanation:
    """Explain what is asked on the database of ``url``. A query is run once, a mutation never.

    Raises ``OperatorError`` for what cannot be run, and for a database that is away.
    """
    await check_server(url, settings)
    schema = build_schema(suggestions=settings.introspection)
    executor = Executor(schema, settings)
    try:
        async with open_database(url, settings) as database:
            async with database.reads.acquire() as connection:
                await check_revision(connection)
            document = await document_of(asked.name, executor.documents, settings, database)
            operation = operation_of(document, asked.operation)
            explanation = _planned(schema, executor, document, operation, asked.variables, settings)
            if explanation.not_run is None:
                await _run(explanation, executor, document, asked, settings, database, analyze=analyze)
            return explanation
    except AWAY as error:
        raise DatabaseUnavailableError(f"The database {shown(url)} ended the explanation: {error}.") from error


def _planned(
    schema: Schema,
    executor: Executor,
    document: Document,
    operation: OperationDefinitionNode,
    raw: dict[str, Any],
    settings: Settings,
) -> Explanation:
    """What can be said before anything runs. Raises ``OperatorError`` for variables that do not fit."""
    variables = get_variable_values(schema.graphql_schema, operation.variable_definitions or (), raw)
    if isinstance(variables, list):
        raise OperatorError(f"The variables do not fit: {variables[0].message}")
    document.persist()  # as a front end will ask for it
    executor.plan_ahead(document)
    reason = _reason(document.planned.get(id(operation), "reference"), raw)
    try:
        selection = Selection(schema.graphql_schema, document, operation, variables.coerced)
        steps = Tree(schema.graphql_schema, planned=reason is None).of(selection)
    except UnsupportedError:
        steps = ()
    cost = document.whole_cost(operation, raw)
    explanation = Explanation(
        operation=operation.name.value if operation.name else None,
        kind=operation.operation.value,
        sha256=document.sha256,
        cost=cost,
        most=settings.max_cost,
        reason=reason,
        steps=steps,
    )
    if operation.operation is not OperationType.QUERY:
        explanation.not_run = "A mutation is not run here: nothing was written."
    elif cost > settings.max_cost:
        explanation.not_run = "The gateway refuses it for its cost: nothing was run."
    return explanation


def _reason(planned: Planned | str, raw: dict[str, Any]) -> str | None:
    """Why there is no plan for these variables; ``None`` where there is one."""
    if isinstance(planned, str):
        return planned
    values = planned.variables.coerced(raw)
    if values is None:
        return "variables"
    try:
        planned.plan(values)
    except UnsupportedError as error:
        return error.reason
    return None


async def _run(
    explanation: Explanation,
    executor: Executor,
    document: Document,
    asked: Asked,
    settings: Settings,
    database: Database,
    *,
    analyze: bool,
) -> None:
    """Run the query once, and let PostgreSQL explain its statements."""
    recorder = Recorder(database.reads)
    context = Context(Database(recorder, database.writes), settings, "explain")
    with statement_names() as names:
        try:
            answer = await executor.run(
                document,
                context,
                variables=asked.variables,
                operation_name=asked.operation,
                mutations=False,
            )
        finally:
            await executor.close()
    if answer.stage is Stage.UNAVAILABLE:
        raise DatabaseUnavailableError("The database went away while the query ran: ask again later.")
    # What a plan met on its way may have handed the operation over after all.
    explanation.reason = next(iter(executor.by_graphql_core), None)
    explanation.answer = _answered(answer)
    for ran in recorder.ran:
        lines = await query_plan(database.reads, ran.sql, ran.keys, analyze=analyze)
        name = names.get(ran.sql, "a statement that failed")
        explanation.statements.append(Explained(name, ran.sql, ran.keys, ran.rows, ran.ms, lines))


def _answered(answer: Answer) -> Answered:
    errors: Sequence[dict[str, Any]] = () if answer.clean else orjson.loads(answer.body).get("errors", ())
    return Answered(len(answer.body), sorted(answer.tags), [error["message"] for error in errors])
