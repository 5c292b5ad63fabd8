"""A value for each variable that an operation must have: enough to run it once before somebody waits for it."""

from __future__ import annotations

from typing import Any

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, OperationDefinitionNode, TypeNode

_SAMPLES: dict[str, Any] = {"ID": "1", "Int": 1, "Float": 1.0, "String": "1", "Boolean": True}


def sample(operation: OperationDefinitionNode) -> dict[str, Any] | None:
    """Values for the variables without which ``operation`` does not run; ``None`` where one is of a type of ours."""
    values = {}
    for variable in operation.variable_definitions or ():
        if isinstance(variable.type, NonNullTypeNode) and variable.default_value is None:
            value = _value(variable.type.type)
            if value is None:
                return None
            values[variable.variable.name.value] = value
    return values


def _value(node: TypeNode) -> Any:
    if isinstance(node, NonNullTypeNode):
        return _value(node.type)
    if isinstance(node, ListTypeNode):
        item = _value(node.type)
        return None if item is None else [item]
    assert isinstance(node, NamedTypeNode), "there are no other types"
    return _SAMPLES.get(node.name.value)
