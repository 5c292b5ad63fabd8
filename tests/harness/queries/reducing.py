"""Making a failing case small: parts are taken away one after the other, and stay away while it still fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from graphql import GraphQLSchema, parse, validate

from tests.harness.queries.cases import Case
from tests.harness.queries.document import (
    ABSENT,
    Field,
    Inline,
    Operation,
    Selection,
    Spread,
    Variable,
    variables_of,
)

Edit = Callable[[], Callable[[], None]]
"""Changes the operations in place; what it returns takes the change back."""


async def reduced(
    schema: GraphQLSchema, case: Case, fails: Callable[[Case], Awaitable[bool]], *, seconds: float
) -> Case:
    """The smallest case found in time that still is valid and ``fails``."""
    deadline = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for edit in _edits(case):
            if time.monotonic() > deadline:
                return case
            undo = edit()
            changed = case.again()
            if not validate(schema, parse(changed.text)) and await fails(changed):
                case, smaller = changed, True
                break  # the edits that come next were of what was there before
            undo()
    return case


def _edits(case: Case) -> Iterator[Edit]:
    """Everything that can be taken away, the largest parts first."""
    operations = case.operations
    lists = list(_lists(operations))
    several: list[list[Any]] = [operations, *lists]
    for parts in several:
        if len(parts) > 1:
            for place in range(len(parts)):
                yield _replaced(parts, slice(place, place + 1), [])
    for selections in lists:
        for place in range(len(selections)):
            yield from _plainer(selections, place, case.variables)
    yield from _simpler(case.variables, {})
    for variable in variables_of(operations):
        if variable.default is not ABSENT:
            yield _changed(variable, "default", ABSENT)
    for operation in operations:
        if operation.name is not None:
            yield _changed(operation, "name", None)


def _plainer(selections: list[Selection], place: int, variables: dict[str, Any]) -> Iterator[Edit]:
    one = selections[place]
    if not isinstance(one, Field):
        below = one.selections if isinstance(one, Inline) else one.fragment.selections
        yield _replaced(selections, slice(place, place + 1), list(below))
    else:
        if one.alias is not None:
            yield _changed(one, "alias", None)
        yield from _simpler(one.arguments, variables)
    for number, (_, arguments) in enumerate(one.directives):
        yield _replaced(one.directives, slice(number, number + 1), [])
        yield from _simpler(arguments, variables)


def _lists(operations: list[Operation]) -> Iterator[list[Selection]]:
    """Every selection set once, the outermost first."""
    ahead = [operation.selections for operation in operations]
    seen: set[int] = set()
    while ahead:
        selections = ahead.pop(0)
        if id(selections) in seen:
            continue
        seen.add(id(selections))
        yield selections
        for one in selections:
            below = one.fragment.selections if isinstance(one, Spread) else one.selections
            if below is not None:
                ahead.append(below)


def _simpler(arguments: dict[str, Any], variables: dict[str, Any]) -> Iterator[Edit]:
    for name, value in arguments.items():
        yield _without(arguments, name)
        match value:
            case Variable() if value.name in variables or value.default is not ABSENT:
                yield _replaced(arguments, name, variables.get(value.name, value.default))
            case list():
                for place in range(len(value)):
                    yield _replaced(arguments, name, value[:place] + value[place + 1 :])
            case dict():
                yield from _simpler(value, variables)


def _replaced(container: Any, key: Any, value: Any) -> Edit:
    def edit() -> Callable[[], None]:
        before = container[key] if isinstance(container, dict) else list(container)
        container[key] = value
        if isinstance(container, dict):
            return lambda: container.__setitem__(key, before)
        return lambda: container.__setitem__(slice(None), before)

    return edit


def _without(container: dict[str, Any], name: str) -> Edit:
    def edit() -> Callable[[], None]:
        before = dict(container)
        del container[name]

        def undo() -> None:
            container.clear()
            container.update(before)

        return undo

    return edit


def _changed(thing: object, attribute: str, value: Any) -> Edit:
    def edit() -> Callable[[], None]:
        before = getattr(thing, attribute)
        setattr(thing, attribute, value)
        return lambda: setattr(thing, attribute, before)

    return edit
