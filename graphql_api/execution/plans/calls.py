"""The calls that a plan makes: a field's own function with its arguments."""

from __future__ import annotations

import inspect
from typing import Any

from graphql_api.execution.plans.arguments import Arguments
from graphql_api.execution.plans.selection import Selected, Selection
from graphql_api.execution.plans.source import Source
from graphql_api.execution.plans.unsupported import UnsupportedError


class Calls:
    """Writes the calls of the fields of ``selection``."""

    def __init__(self, source: Source, selection: Selection, arguments: Arguments) -> None:
        self._source = source
        self._arguments = arguments
        self._written = selection.fields if selection.writes else []
        self._known: dict[Selected, str] = {}

    def arguments(self, selected: Selected) -> str:
        """The keyword arguments of a field, ``""`` for none."""
        if selected not in self._known:
            assert selected.field is not None
            assert selected.definition is not None
            node = selected.details[0].node
            self._known[selected] = self._arguments.of(self._source, selected.field, selected.definition, node)
        return self._known[selected]

    def resolved(self, selected: Selected, o: str) -> str:
        """The expression for the value of a field that loads nothing."""
        field_ = selected.field
        assert field_ is not None
        resolver = field_.base_resolver
        if resolver is None:
            return f"{o}.{field_.python_name}"
        function = resolver.wrapped_func
        name = self._source.constant(selected.details[0].node.name.value, function)
        if selected in self._written:
            return f"await {name}({call_with(f'{o}, s', self.arguments(selected))})"
        if inspect.iscoroutinefunction(function) or _takes_info(function):
            raise UnsupportedError("resolver")
        return f"{name}({call_with(o, self.arguments(selected))})"


def call_with(first: str, rest: str) -> str:
    """The arguments of a call: those in ``first``, and ``rest`` if there are any."""
    return f"{first}, {rest}" if rest else first


def _takes_info(function: Any) -> bool:
    return "info" in inspect.signature(function).parameters
