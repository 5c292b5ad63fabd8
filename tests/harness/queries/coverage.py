"""What of a schema a run asked and was answered, as schema coordinates such as ``Product.reviews(first:)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    parse,
    visit,
)

from tests.harness.queries.cases import Case

MOST_DOCUMENTS = 100  # kept while requests for them come in


class Coverage:
    """Counts coordinates. ``asked``: in documents; ``answered``: fields that had a value other than null."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._info = TypeInfo(schema)
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self._document = lru_cache(maxsize=MOST_DOCUMENTS)(self._read)

    def add(self, case: Case, data: dict[str, Any] | None) -> None:
        """Count ``case``, whose answer has ``data``."""
        document = self._document(case.text)
        if data is not None:
            operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
            names = [one.name and one.name.value for one in operations]
            operation = operations[names.index(case.operation_name) if case.operation_name else 0]
            assert self._schema.query_type is not None
            self._answered(_fragments(document), operation.selection_set, self._schema.query_type, data)

    def _read(self, text: str) -> DocumentNode:
        document = parse(text)
        visit(document, TypeInfoVisitor(self._info, _Asked(self._info, self.asked)))
        return document

    def never_asked(self) -> list[str]:
        """What a query can say in this schema and no document said."""
        return sorted(set(_coordinates(self._schema)) - set(self.asked))

    def never_answered(self) -> list[str]:
        """The fields of objects that never had a value."""
        objects = [one for one in _below_query(self._schema) if isinstance(one, GraphQLObjectType)]
        return sorted({f"{one.name}.{name}" for one in objects for name in one.fields} - set(self.answered))

    def _answered(
        self,
        fragments: dict[str, FragmentDefinitionNode],
        selections: SelectionSetNode,
        type_: GraphQLNamedType,
        data: Any,
    ) -> None:
        if isinstance(data, list):
            for item in data:
                self._answered(fragments, selections, type_, item)
            return
        for node in selections.selections if data is not None else ():
            below: Node = node
            inner = type_
            if isinstance(below, FragmentSpreadNode):
                below = fragments[below.name.value]
            if isinstance(below, InlineFragmentNode | FragmentDefinitionNode):
                if below.type_condition is not None:
                    inner = self._schema.type_map[below.type_condition.name.value]
                # Of an interface's objects the data do not say which they are: they are counted elsewhere.
                if inner is type_ or not isinstance(type_, GraphQLAbstractType):
                    self._answered(fragments, below.selection_set, inner, data)
            elif isinstance(below, FieldNode):
                self._field(fragments, below, type_, data)

    def _field(
        self, fragments: dict[str, FragmentDefinitionNode], node: FieldNode, type_: GraphQLNamedType, data: Any
    ) -> None:
        value = data.get(node.alias.value if node.alias else node.name.value)
        if value is None or not isinstance(type_, GraphQLObjectType) or node.name.value not in type_.fields:
            return
        self.answered[f"{type_.name}.{node.name.value}"] += 1
        if node.selection_set is not None:
            self._answered(fragments, node.selection_set, get_named_type(type_.fields[node.name.value].type), value)


class _Asked(Visitor):
    def __init__(self, info: TypeInfo, counts: Counter[str]) -> None:
        super().__init__()
        self._info = info
        self._counts = counts

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        field = f"{self._info.get_parent_type()}.{node.name.value}"
        self._counts[field] += 1
        self._counts.update(f"{field}({argument.name.value}:)" for argument in node.arguments or ())
        self._counts.update(f"field@{one.name.value}" for one in node.directives or ())

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        self._counts.update(f"inline fragment@{one.name.value}" for one in node.directives or ())

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._counts.update(f"spread@{one.name.value}" for one in node.directives or ())

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self._counts[f"{get_named_type(self._info.get_parent_input_type())}.{node.name.value}"] += 1

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        self._counts[f"{get_named_type(self._info.get_input_type())}.{node.value}"] += 1


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def _coordinates(schema: GraphQLSchema) -> Iterator[str]:
    yield from (f"{place}@{name}" for place in ("field", "inline fragment", "spread") for name in ("skip", "include"))
    for type_ in _below_query(schema):
        if is_composite_type(type_):
            yield f"{type_.name}.__typename"
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}"
                yield from (f"{type_.name}.{name}({argument}:)" for argument in field.args)
        elif isinstance(type_, GraphQLInputObjectType):
            yield from (f"{type_.name}.{name}" for name in type_.fields)
        elif isinstance(type_, GraphQLEnumType) and type_.name in _given(schema):
            yield from (f"{type_.name}.{name}" for name in type_.values)


def _given(schema: GraphQLSchema) -> set[str]:
    """The types that arguments and input fields have."""
    given = set()
    for type_ in _below_query(schema):
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            given |= {get_named_type(one.type).name for field in type_.fields.values() for one in field.args.values()}
        elif isinstance(type_, GraphQLInputObjectType):
            given |= {get_named_type(one.type).name for one in type_.fields.values()}
    return given


def _below_query(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """Every type that a query can come to or give."""
    found: dict[str, GraphQLNamedType] = {}
    ahead: list[GraphQLNamedType] = [schema.query_type] if schema.query_type else []
    while ahead:
        type_ = ahead.pop()
        if type_.name in found:
            continue
        found[type_.name] = type_
        if isinstance(type_, GraphQLAbstractType):
            ahead.extend(schema.get_possible_types(type_))
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                ahead += [get_named_type(field.type), *(get_named_type(one.type) for one in field.args.values())]
            ahead.extend(type_.interfaces)
        elif isinstance(type_, GraphQLInputObjectType):
            ahead.extend(get_named_type(one.type) for one in type_.fields.values())
    return list(found.values())
