"""What an operation asks for, as a tree of the schema's own fields, and what of it loads together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_composite_type,
    print_ast,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from graphql_api.execution.document import Document
from graphql_api.execution.plans.json_fields import json_of
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.schema.loaded import Each, LoadedField, NumberField, OfRow
from loaders.batch import BatchLoader
from loaders.json_rows import JsonRows
from loaders.products import ProductsById

Loader = type[BatchLoader[Any, Any]]
DEFINITION = "strawberry-definition"
_MOST_FIELDS = 1000


@dataclass(eq=False)
class Selected:
    """A field that is asked for. ``field`` is its declaration, ``None`` for ``__typename``."""

    key: str
    details: list[FieldDetails]
    definition: GraphQLField | None
    field: StrawberryField | None
    below: dict[str, list[Selected]] = dataclasses.field(default_factory=dict)
    """What is asked for below it, by the name of the type: an interface has several."""
    ahead: tuple[Loader, ...] = ()
    """What comes with the rows that it loads."""
    maps: set[tuple[Loader, str]] = dataclasses.field(default_factory=set)
    """Of which of them a row is looked for, by which column."""
    made_of_found: list[Selected] = dataclasses.field(default_factory=list)
    """Fields below that show nothing but such a row."""
    beyond: bool = True
    """Whether it, or a sibling that loads the same, shows what lies beyond the page that is loaded."""
    json: JsonRows | None = None
    """How PostgreSQL writes the page that it, or such a sibling, shows: nothing of that is left to a plan."""
    page: Selected | None = None
    """Of a product, the first field below that shows such a page, which may come with the product's row."""

    @property
    def loader(self) -> Loader | None:
        """The loader of a loaded field, if it is always the same."""
        if not isinstance(self.field, LoadedField):
            return None
        return self.field.source.kind.loader if isinstance(self.field.source, OfRow) else self.field.of

    @property
    def only(self) -> list[Selected]:
        """What is asked for below it, where only one type can be there; else nothing."""
        return next(iter(self.below.values())) if len(self.below) == 1 else []


class Selection:
    """The fields of ``operation`` below its root; ``flags`` are the variables that include or skip."""

    def __init__(
        self, schema: GraphQLSchema, document: Document, operation: OperationDefinitionNode, flags: dict[str, bool]
    ) -> None:
        self._schema = schema
        self._operation = operation
        self.writes = operation.operation is not OperationType.QUERY
        self._fragments = {
            node.name.value: FragmentDetails(node)
            for node in document.node.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._flags = VariableValues({}, dict(flags))
        # Such a page has a statement of its own, which takes longer to make than a plan: not for each text of a flood.
        self._by_json = document.is_persisted
        root = schema.get_root_type(operation.operation)
        assert root is not None
        self.root = root
        grouped = collect_fields(schema, self._fragments, self._flags, root, operation).grouped_field_set
        self._left = _MOST_FIELDS
        self.fields = self._selected(root, grouped)

    def _selected(self, parent: GraphQLObjectType, grouped: GroupedFieldSet) -> list[Selected]:
        found = []
        for key, details in grouped.items():
            self._left -= 1
            if self._left < 0:
                raise UnsupportedError("too large")
            name = details[0].node.name.value
            if name == "__typename":
                found.append(Selected(key, details, None, None))
                continue
            definition = parent.fields.get(name)
            if definition is None:
                raise UnsupportedError("introspection")
            selected = Selected(key, details, definition, definition.extensions[DEFINITION])
            type_ = get_named_type(definition.type)
            if is_composite_type(type_):
                types = [type_] if isinstance(type_, GraphQLObjectType) else self._schema.get_possible_types(type_)
                for one in types:
                    below = collect_subfields(
                        self._schema, self._fragments, self._flags, self._operation, one, details
                    ).grouped_field_set
                    selected.below[one.name] = self._selected(one, below)
            found.append(selected)
        share_loads(found, by_json=self._by_json)
        return found


def share_loads(siblings: list[Selected], *, by_json: bool) -> None:
    """Settle what each load of ``siblings`` brings, which is the same for those that load the same.

    ``by_json``: pages may be written by PostgreSQL.
    """
    groups: dict[Any, list[Selected]] = {}
    for selected in siblings:
        if isinstance(selected.field, LoadedField) and selected.loader is not None:
            groups.setdefault((selected.field.source, _arguments(selected)), []).append(selected)
    for group in groups.values():
        loader = group[0].loader
        assert loader is not None
        wanted: set[Loader] = set()
        maps: set[tuple[Loader, str]] = set()
        made: list[Selected] = []
        beyond = not loader.looks_beyond
        for selected in group:
            assert isinstance(selected.field, LoadedField)
            beyond = beyond or selected.field.beyond
            _look(selected, loader.may_have_ahead, wanted, maps, made, loads=0)
        if by_json and loader is ProductsById and len(group) == 1 and not group[0].field.many:  # type: ignore[union-attr] # it loads
            group[0].page = _page_of(group[0])
        json = _json_of(group, loader) if by_json and loader.looks_beyond else None
        for selected in group:
            selected.beyond = beyond
            selected.json = json
            if json is not None:
                continue
            selected.made_of_found = made
            selected.ahead = tuple(sorted(wanted, key=lambda one: one.__name__))
            selected.maps = maps


def _json_of(group: list[Selected], loader: Loader) -> JsonRows | None:
    """How the page is written that fields of ``group`` show, if one shows its rows and the others where it lies."""
    others = [one for one in group if not (isinstance(one.field, LoadedField) and one.field.beyond)]
    return json_of(others[0], loader) if len(others) == 1 and _is_list(others[0]) else None


def _is_list(selected: Selected) -> bool:
    return isinstance(selected.field, LoadedField) and selected.field.each is Each.PAGE


def _page_of(product: Selected) -> Selected | None:
    """The first field that shows a page that is written, of those below ``product`` that need its number alone."""
    numbers = [one for one in product.only if isinstance(one.field, NumberField)]
    return next((page for number in numbers for page in number.only if page.json is not None), None)


def _arguments(selected: Selected) -> str:
    return ",".join(sorted(print_ast(one) for one in selected.details[0].node.arguments or ()))


def _look(
    above: Selected,
    candidates: frozenset[Loader],
    wanted: set[Loader],
    maps: set[tuple[Loader, str]],
    made: list[Selected],
    *,
    loads: int,
) -> None:
    """Add those of ``candidates`` that fields below ``above`` show, ``loads`` loads below the rows."""
    for selected in (one for below in above.below.values() for one in below):
        left = candidates
        if selected.json is not None and _is_list(selected):
            continue  # what is below comes with its text
        if isinstance(selected.field, LoadedField):
            loader = selected.field.hint or selected.loader
            source = selected.field.source
            # A product's own rows are the same for all that is below it; any other only for the row itself.
            near = loads == 0 or selected.field.hint or (isinstance(source, OfRow) and source.by_product)
            if loader in candidates and near:
                wanted.add(loader)
                if selected.field.find:
                    maps.add((loader, selected.field.find))
                    if selected.field.of_found:
                        made.append(selected)
            if selected.loader is not None:
                left = candidates - selected.loader.may_have_ahead
            _look(selected, left, wanted, maps, made, loads=loads + 1)
        else:
            _look(selected, left, wanted, maps, made, loads=loads)
