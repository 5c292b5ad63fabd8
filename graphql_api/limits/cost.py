"""How many objects an answer may hold: counted on the document before anything runs, page sizes multiplied.

Without it a document of 2 KB that nests products and reviews sixty times asks for more objects than memory can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)

from graphql_api.schema.objects import Objects

SIZING = frozenset({"first", "last", "ids"})
LARGEST = 100  # the most that any page or list of ids may have


def size_of(value: Any) -> int | None:
    """How many objects a page size or a list of ids asks for, if it is one."""
    if value is Undefined:
        return -1
    if value is None:
        return None
    if isinstance(value, str):  # one id, where a list of them may stand
        return 1
    size = len(value) if isinstance(value, list) else value
    # GraphQL takes 100.0 for an Int. What is none of these is no size, and counts as the largest.
    return int(min(max(size, 1), LARGEST)) if isinstance(size, int | float) else LARGEST


def sizing_variables(document: DocumentNode) -> list[str]:
    """The variables that say how many objects are asked for: a cost depends on no others."""
    names: set[str] = set()

    class Finder(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
            if node.name.value in SIZING and isinstance(node.value, VariableNode):
                names.add(node.value.name.value)

    visit(document, Finder())
    return sorted(names)


class Cost:
    """Counts the objects of one operation, by what its fields say of themselves: ``graphql_api.schema.objects``.

    ``limit`` ends the count: what is beyond it need not be known.
    """

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any], limit: int, objects: Objects) -> None:
        self._objects = objects
        self._variables = variables
        self._limit = limit
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, int | None], int] = {}
        self._defaults: dict[str, ValueNode | None] = {}

    def of(self, operation: OperationDefinitionNode) -> int:
        """The most objects that the operation's answer can hold, or, beyond the limit, some number beyond it."""
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        return self._selected(operation.selection_set, None)

    def _selected(self, selections: SelectionSetNode, page: int | None) -> int:
        """The objects below one object; ``page`` is the size of the connection that it is, if it is one."""
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, page)
            elif isinstance(node, InlineFragmentNode):
                total += self._selected(node.selection_set, page)
            elif isinstance(node, FragmentSpreadNode):
                total += self._spread(node.name.value, page)
            if total > self._limit:
                break
        return total

    def _spread(self, name: str, page: int | None) -> int:
        # Each fragment is counted once, however often it is spread; validation refused those that spread themselves.
        key = (name, page)
        if key not in self._known:
            self._known[key] = self._selected(self._fragments[name].selection_set, page)
        return self._known[key]

    def _field(self, node: FieldNode, page: int | None) -> int:
        name = node.name.value
        if node.selection_set is None or name.startswith("__"):
            return 0
        count = self._objects.counts.get(name, 1)
        if name in self._objects.connections:
            return 1 + self._selected(node.selection_set, self._size(node, count))
        if page is not None and name in {"nodes", "edges"}:
            return page * (1 + self._selected(node.selection_set, None))
        return self._size(node, count) * (1 + self._selected(node.selection_set, None))

    def _size(self, node: FieldNode, default: int) -> int:
        """What ``first``, ``last`` or the length of ``ids`` say, else ``default``; at most what a page may hold."""
        for argument in node.arguments or ():
            if argument.name.value in SIZING:
                size = size_of(self._value(argument.value))
                if size is not None:
                    return size
        return default

    def _value(self, node: ValueNode | None) -> Any:
        """A number, a list or ``None``; of a variable what the request or the document gives it."""
        if isinstance(node, VariableNode):
            name = node.name.value
            return self._variables[name] if name in self._variables else self._value(self._defaults.get(name))
        if isinstance(node, IntValueNode):
            return int(node.value)
        return list(node.values) if isinstance(node, ListValueNode) else None
