"""How much a document may hold, counted after it is parsed and before it is validated.

Validation compares every two fields that would be one in the answer, and what is below them, fragments included: a text
of 3 KB can keep it busy for a second. So fields are counted here as the answer has them, with fragments spread and
fields of one name taken together, and the count ends at the first bound that is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language.ast import Node


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most of each that a document, or one operation of it with its fragments spread, may have."""

    depth: int
    fields: int
    aliases: int
    root_fields: int
    equal_fields: int
    spreads: int
    directives: int


class _BeyondError(Exception):
    def __init__(self, message: str, node: Node) -> None:
        self.error = GraphQLError(message, node)


def beyond(document: DocumentNode, bounds: Bounds) -> GraphQLError | None:
    """The error of a document that has more of something than ``bounds`` allow; ``None`` for any other."""
    try:
        _count_nodes(document, bounds)
        fragments = _fragments_of(document)
        spread: set[str] = set()
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                _Operation(fragments, bounds, spread).count([node.selection_set], 0)
        # Validation looks into those that no operation spreads, too, before it refuses them.
        for name, fragment in fragments.items():
            if name not in spread:
                _Operation(fragments, bounds, spread).count([fragment.selection_set], 1)
    except _BeyondError as found:
        return found.error
    return None


def _fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments by name. Of two with one name validation would look into both, and one alone would be counted."""
    fragments: dict[str, FragmentDefinitionNode] = {}
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode) and fragments.setdefault(node.name.value, node) is not node:
            raise _BeyondError(f"There can be only one fragment named {node.name.value!r}.", node)
    return fragments


def _count_nodes(document: DocumentNode, bounds: Bounds) -> None:
    spreads = directives = 0
    for node in _nodes(document):
        if isinstance(node, FragmentSpreadNode):
            spreads += 1
            _at_most(spreads, bounds.spreads, "fragment spreads", node)
        elif isinstance(node, DirectiveNode):
            directives += 1
            _at_most(directives, bounds.directives, "directives", node)


def _nodes(document: DocumentNode) -> Iterator[Node]:
    """Every node that holds selections or directives."""
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(getattr(node, "directives", None) or ())
        waiting.extend(getattr(node, "variable_definitions", None) or ())
        selections = getattr(node, "selection_set", None)
        if selections is not None:
            waiting.extend(selections.selections)


def _at_most(count: int, most: int, what: str, node: Node) -> None:
    if count > most:
        raise _BeyondError(f"The document has more than {most} {what}: send it in parts.", node)


class _Operation:
    """The fields of one operation, as its answer has them. The fragments that it spreads are added to ``spread``."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], bounds: Bounds, spread: set[str]) -> None:
        self._spread = spread
        self._fragments = fragments
        self._bounds = bounds
        self._fields = self._aliases = self._spreads = 0

    def count(self, together: Sequence[SelectionSetNode], depth: int) -> None:
        """Count the fields of selections that are one in the answer, and those below them."""
        by_name: dict[str, list[FieldNode]] = {}
        for selections in together:
            self._collect(selections, depth, by_name, ())
        if depth == 0:
            _at_most(sum(map(len, by_name.values())), self._bounds.root_fields, "root fields", together[0])
        for nodes in by_name.values():
            below = [node.selection_set for node in nodes if node.selection_set is not None]
            if below:
                self.count(below, depth + 1)

    def _collect(
        self, selections: SelectionSetNode, depth: int, by_name: dict[str, list[FieldNode]], inside: tuple[str, ...]
    ) -> None:
        """Add the fields of ``selections`` to ``by_name``; ``inside`` are the fragments that are being spread."""
        for node in selections.selections:
            if isinstance(node, FieldNode):
                self._add(node, depth, by_name)
            elif isinstance(node, InlineFragmentNode):
                self._collect(node.selection_set, depth, by_name, inside)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name in inside:
                    raise _BeyondError(f"The fragment {name} spreads itself.", node)
                # Fragments that spread each other twice double at each step, fields in them or not.
                self._spreads += 1
                _at_most(self._spreads, self._bounds.fields, "fragments, each counted wherever it is spread", node)
                self._spread.add(name)
                fragment = self._fragments.get(name)
                if fragment is not None:  # validation says so where it is missing
                    self._collect(fragment.selection_set, depth, by_name, (*inside, name))

    def _add(self, node: FieldNode, depth: int, by_name: dict[str, list[FieldNode]]) -> None:
        bounds = self._bounds
        if depth >= bounds.depth:
            raise _BeyondError(f"The document has more than {bounds.depth} levels of fields: ask for less depth.", node)
        self._fields += 1
        _at_most(self._fields, bounds.fields, "fields, those of fragments counted wherever they are spread", node)
        self._aliases += node.alias is not None
        _at_most(self._aliases, bounds.aliases, "aliases", node)
        name = (node.alias or node.name).value
        nodes = by_name.setdefault(name, [])
        nodes.append(node)
        _at_most(len(nodes), bounds.equal_fields, f"fields that are one in the answer, {name}", node)
