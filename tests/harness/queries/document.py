"""A generated document, changeable until it is written: selections, fragments, operations and variables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias


class EnumName(str):
    """The value of an enum: without quotes in a document, a string among variables."""

    __slots__ = ()


@dataclass(eq=False)
class Variable:
    """A variable. ``default`` may be ``ABSENT``; ``usual`` is a value that fits where it is used."""

    name: str
    type: str
    default: Any
    usual: Any


ABSENT: Any = object()

Arguments: TypeAlias = dict[str, Any]
"""Values by name, as in JSON; ``Variable`` and ``EnumName`` may stand anywhere in them."""


@dataclass(eq=False)
class Field:
    """``selections`` is ``None`` for a leaf."""

    name: str
    alias: str | None
    arguments: Arguments
    directives: list[tuple[str, Arguments]]
    selections: list[Selection] | None


@dataclass(eq=False)
class Inline:
    """An inline fragment; ``on`` is ``None`` without a type condition."""

    on: str | None
    directives: list[tuple[str, Arguments]]
    selections: list[Selection]


@dataclass(eq=False)
class Fragment:
    """A named fragment."""

    name: str
    on: str
    selections: list[Selection]


@dataclass(eq=False)
class Spread:
    """A fragment's use."""

    fragment: Fragment
    directives: list[tuple[str, Arguments]]


Selection: TypeAlias = Field | Inline | Spread


@dataclass(eq=False)
class Operation:
    """``name`` is ``None`` where it is the only one."""

    kind: str
    name: str | None
    selections: list[Selection]


@dataclass
class Written:
    """A document's text, and its fields by the place where each begins."""

    text: str = ""
    fields: dict[int, Field] = field(default_factory=dict)

    def line(self, depth: int, text: str) -> None:
        self.text += "  " * depth + text + "\n"


def written(operations: list[Operation]) -> Written:
    """The document of ``operations`` and of the fragments they use; each defines the variables that it uses."""
    out = Written()
    fragments: dict[Fragment, None] = {}
    for operation in operations:
        reached = dict.fromkeys(_reached(operation.selections))
        fragments |= {one.fragment: None for one in reached if isinstance(one, Spread)}
        variables = dict.fromkeys(variable for one in reached for variable in _variables(one))
        defined = f" ({', '.join(_definition(variable) for variable in variables)})" if variables else ""
        out.line(0, f"{operation.kind}{' ' + operation.name if operation.name else ''}{defined} {{")
        _write(out, operation.selections)
    for fragment in fragments:
        out.line(0, f"fragment {fragment.name} on {fragment.on} {{")
        _write(out, fragment.selections)
    return out


def variables_of(operations: list[Operation]) -> list[Variable]:
    """Every variable of the operations."""
    reached = [one for operation in operations for one in _reached(operation.selections)]
    return list(dict.fromkeys(variable for one in reached for variable in _variables(one)))


def text_of(value: Any) -> str:
    """``value`` as a document spells it."""
    match value:
        case Variable():
            return f"${value.name}"
        case EnumName():
            return str(value)
        case list():
            return "[" + ", ".join(map(text_of, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{name}: {text_of(part)}" for name, part in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _write(out: Written, selections: list[Selection], depth: int = 1) -> None:
    for one in selections:
        directives = "".join(f" @{name}{_given(arguments)}" for name, arguments in one.directives)
        match one:
            case Spread():
                out.line(depth, f"...{one.fragment.name}{directives}")
                continue
            case Inline():
                head = f"...{' on ' + one.on if one.on else ''}{directives}"
            case Field():
                out.fields[len(out.text) + 2 * depth] = one
                head = f"{one.alias + ': ' if one.alias else ''}{one.name}{_given(one.arguments)}{directives}"
        if one.selections is None:
            out.line(depth, head)
        else:
            out.line(depth, head + " {")
            _write(out, one.selections, depth + 1)
    out.line(depth - 1, "}")


def _given(arguments: Arguments) -> str:
    return f"({', '.join(f'{name}: {text_of(value)}' for name, value in arguments.items())})" if arguments else ""


def _definition(variable: Variable) -> str:
    default = "" if variable.default is ABSENT else f" = {text_of(variable.default)}"
    return f"${variable.name}: {variable.type}{default}"


def _reached(selections: Iterable[Selection]) -> Iterator[Selection]:
    for one in selections:
        yield one
        below = one.fragment.selections if isinstance(one, Spread) else one.selections
        yield from _reached(below or ())


def _variables(one: Selection) -> Iterator[Variable]:
    if isinstance(one, Field):
        yield from _used(one.arguments)
    for _, arguments in one.directives:
        yield from _used(arguments)


def _used(value: Any) -> Iterator[Variable]:
    match value:
        case Variable():
            yield value
        case list():
            for part in value:
                yield from _used(part)
        case dict():
            yield from _used(list(value.values()))
