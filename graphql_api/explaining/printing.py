"""An explanation for people, in colours on a terminal and plain elsewhere, and the same as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import orjson
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text
from rich.tree import Tree

from graphql_api.explaining.explanation import Explained, Explanation
from graphql_api.explaining.tree import Loaded, Step

# Wider than any line: a terminal wraps it by itself, and what is copied from there is whole.
_WIDTH = 100_000
_KEYS_SHOWN = 10


def print_explanation(explanation: Explanation) -> None:
    """Print it to standard output."""
    screen = Console(highlight=False, markup=False, emoji=False, width=_WIDTH)
    name = explanation.operation or "(unnamed)"
    screen.print(f"{explanation.kind} {name}", style="bold")
    screen.print(f"document {explanation.sha256}")
    screen.print(f"cost     {explanation.cost:,} objects, of {explanation.most:,} that an answer may hold")
    reason = explanation.reason
    screen.print("plan     " + ("compiled" if reason is None else f"none: graphql-core runs it ({reason})"))
    if explanation.steps:
        tree = Tree(explanation.kind, guide_style="dim")
        _grow(tree, explanation.steps)
        screen.print()
        screen.print(tree)
    for number, statement in enumerate(explanation.statements, 1):
        screen.print()
        _print_statement(screen, number, statement)
    screen.print()
    if explanation.not_run is not None:
        screen.print(explanation.not_run, style="bold")
    if explanation.answer is not None:
        answer = explanation.answer
        screen.print(f"answer   {answer.size:,} bytes, tags: {' '.join(answer.tags) or 'none'}", style="bold")
        for error in answer.errors:
            screen.print(f"error    {error}", style="red")


def json_of(explanation: Explanation) -> bytes:
    """The same as JSON."""
    return orjson.dumps(
        dataclasses.asdict(explanation), default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def _grow(tree: Tree, steps: Iterable[Step]) -> None:
    """Add ``steps``. Fields that show nothing but a value of what is there stand together on a line."""
    for type_, on in groupby(steps, key=lambda step: step.on):
        branch = tree if type_ is None else tree.add(f"… on {type_}")
        for plain, group in groupby(on, key=lambda step: not step.below and step.loaded is None):
            if plain:
                branch.add(Text(", ".join(_name(step) for step in group)))
            else:
                for step in group:
                    _grow(branch.add(_line(step)), step.below)


def _name(step: Step) -> str:
    return step.key if step.key == step.field else f"{step.key}: {step.field}"


def _line(step: Step) -> Text:
    line = Text(_name(step))
    if step.loaded is not None:
        line.append(f" ← {_said(step.loaded)}", style="cyan")
    if step.early:
        line.append(" (begins beside the product, of which it needs the number alone)", style="dim")
    return line


def _said(loaded: Loaded) -> str:
    name = loaded.loader or "a loader that the arguments choose"
    if loaded.same_as is not None:
        name = f"{name}, the load of {loaded.same_as}"
    elif loaded.within is not None:
        name = f"{name}, in the statement of {loaded.within}"
    elif loaded.ahead:
        name = f"{name}, with {' and '.join(loaded.ahead)} in its statement"
    if loaded.is_written:
        name = f"{name}, as JSON"
    if loaded.with_row is not None:
        name = f"{name}, in the statement of {loaded.with_row} without a filter or a cursor"
    if loaded.usually:
        name = f"{name}, unless the arguments choose another"
    return name if loaded.found_by is None else f"{name}, by {loaded.found_by}"


def _print_statement(screen: Console, number: int, statement: Explained) -> None:
    rows = "1 row" if statement.rows == 1 else f"{statement.rows:,} rows"
    ended = "failed" if statement.ms is None else f"{rows} in {statement.ms:.1f} ms"
    screen.print(f"{number}. {statement.name}: {ended}", style="bold")
    for place, key in enumerate(statement.keys, 1):
        screen.print(f"   ${place} = {_shown(key)}")
    for line in _sql(screen, statement.sql):
        screen.print(line)
    screen.print("   EXPLAIN", style="dim")
    for plan in statement.explain:
        screen.print(Text(f"   {plan}"))


def _sql(screen: Console, sql: str) -> Iterator[Text]:
    lines = [f"   {line.strip()}" for line in sql.splitlines()]
    if screen.is_terminal:
        coloured = Syntax("", "sql", theme="ansi_dark").highlight("\n".join(lines))
        yield from coloured.split("\n")
    else:
        yield from map(Text, lines)


def _shown(key: Any) -> str:
    """A key; of a long list its beginning."""
    if isinstance(key, list) and len(key) > _KEYS_SHOWN:
        return f"[{', '.join(map(str, key[:_KEYS_SHOWN]))}, … {len(key) - _KEYS_SHOWN} more]"
    return str(key)
