"""Requests to a schema: documents that validate, with variables and the name of an operation."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import FieldNode, GraphQLSchema, OverlappingFieldsCanBeMergedRule, parse, validate

from tests.harness.queries.catalogue import Catalogue
from tests.harness.queries.document import Operation, written
from tests.harness.queries.selections import Selections
from tests.harness.queries.values import Choices, Values

ROOMS = (6, 12, 25, 50)


@dataclass(frozen=True, eq=False)
class Case:
    """One request. ``operations`` is what its text was written of."""

    text: str
    variables: dict[str, Any]
    operation_name: str | None
    operations: list[Operation] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        named = f"\n# operationName: {self.operation_name}" if self.operation_name else ""
        return f"{self.text}# variables: {json.dumps(self.variables, ensure_ascii=False)}{named}"

    def again(self) -> Case:
        """The same of its operations and variables as they are now."""
        return replace(self, text=written(self.operations).text, variables=dict(self.variables))


def cases_of(schema: GraphQLSchema, catalogue: Catalogue, random: Random) -> list[Case]:
    """One document for ``schema``, about what is in ``catalogue``, and requests with different variables for it."""
    choices = Choices(random)
    values = Values(choices, catalogue)
    # 400 fields are more tokens than a document may have.
    room = 400 if choices.below(80) == 0 else choices.pick(ROOMS)
    selections = Selections(schema, choices, values, room)
    assert schema.query_type is not None
    count = choices.pick((2, 3)) if choices.chance(8) else 1
    named = count > 1 or choices.chance(20)
    operations = []
    for number in range(count):
        selections.room = room
        operations.append(Operation("query", f"Q{number}" if named else None, selections.of(schema.query_type)))
    _make_mergeable(schema, operations)
    text = written(operations).text
    names = [one.name for one in operations]
    wrong = (None, "None", "Q0")

    def request() -> Case:
        name = choices.pick(names) if count > 1 else None
        if named and choices.chance(5):
            name = choices.pick(wrong)
        return Case(text, values.given_to(operations), name, operations)

    return [request() for _ in range(choices.pick((2, 3, 4)) if values.variables or count > 1 else 1)]


def _make_mergeable(schema: GraphQLSchema, operations: list[Operation]) -> None:
    """Give fields that share a key and cannot be merged aliases of their own."""
    for number in itertools.count():
        document = written(operations)
        errors = validate(schema, parse(document.text), [OverlappingFieldsCanBeMergedRule])
        if not errors:
            return
        for place, error in enumerate(errors):
            assert error.nodes
            node = error.nodes[-1]
            assert isinstance(node, FieldNode)
            assert node.loc is not None
            document.fields[node.loc.start].alias = f"own{number}_{place}"
