"""The Python source of a plan while it is written: lines, local names, and the constants that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphql_api.execution.plans.unsupported import UnsupportedError

# Python takes 100 levels of indentation and 20 nested blocks; a deeper query is unusual.
_DEEPEST = 40
_LONGEST = 6000


class Source:
    """Lines at a level of indentation. ``constants`` become the globals of the compiled function."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self._lines: list[str] = []
        self._level = 1
        self._locals = 0

    def line(self, text: str) -> None:
        """Add a line. Raises ``UnsupportedError`` for more than a plan should have."""
        if len(self._lines) >= _LONGEST:
            raise UnsupportedError("too large")
        self._lines.append("    " * self._level + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add ``head`` and what is added meanwhile below it."""
        self.line(head)
        self._level += 1
        if self._level > _DEEPEST:
            raise UnsupportedError("too deep")
        length = len(self._lines)
        yield
        if len(self._lines) == length:
            self.line("pass")
        self._level -= 1

    def local(self, prefix: str) -> str:
        """A new local name."""
        self._locals += 1
        return f"{prefix}{self._locals}"

    def constant(self, hint: str, value: Any) -> str:
        """The name of a constant: ``hint`` in capitals, or with a number behind it for another of that name."""
        base = re.sub(r"\W", "_", hint).upper()
        name, number = base, 1
        while name in self.constants and not _same(self.constants[name], value):
            number += 1
            name = f"{base}_{number}"
        self.constants.setdefault(name, value)
        return name

    def text(self, head: str) -> str:
        """The whole function."""
        return "\n".join([head, *self._lines, ""])


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))
