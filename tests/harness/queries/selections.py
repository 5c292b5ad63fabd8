"""Selections of any type of the schema: fields, aliases, fragments and directives, nested as deep as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    TypeNameMetaFieldDef,
    Undefined,
    get_named_type,
    is_composite_type,
)
from graphql.utilities import do_types_overlap

from graphql_api.schema import identity
from tests.harness.queries.document import Arguments, Field, Fragment, Inline, Selection, Spread, Variable
from tests.harness.queries.values import Choices, Position, Values

DEEPEST = 9
BUSHY = 6  # above this depth, what nests is drawn more often than there are fields of its kind
ALIASES = ("a", "b", "c")
# Introspection nests without end, and none of our loaders is in it: only its leaves are asked for.
META = {"__typename": TypeNameMetaFieldDef, "__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


@dataclass
class Selections:
    """Makes selections. ``room``: how many fields may still be drawn freely; then every set is one leaf."""

    schema: GraphQLSchema
    choices: Choices
    values: Values
    room: int
    fragments: list[Fragment] = field(default_factory=list)

    def of(self, type_: GraphQLCompositeType, depth: int = 0, product: int | None = None) -> list[Selection]:
        """A selection set of ``type_``, below the product of number ``product`` if the document says so."""
        choices = self.choices
        made: list[Selection] = []
        for _ in range(1 + (choices.below(4) if self.room > 0 else 0)):
            fields = [one for one in made if isinstance(one, Field)]
            if fields and choices.chance(8):
                made.append(self._again(choices.pick(fields), type_, depth, product))
            elif self.room > 0 and depth < DEEPEST and choices.chance(12):
                made.append(self._inline(type_, depth, product))
            elif self.room > 0 and depth < DEEPEST and choices.chance(10):
                made.append(self._spread(type_, depth, product))
            else:
                made.append(self._field(type_, depth, product))
        return made

    def _field(self, type_: GraphQLCompositeType, depth: int, product: int | None) -> Field:
        self.room -= 1
        definitions = self._definitions(type_, depth)
        names = tuple(definitions)
        if depth < BUSHY and self.choices.chance(40):
            names = tuple(name for name in names if is_composite_type(get_named_type(definitions[name].type))) or names
        if self.choices.chance(20):
            names = tuple(name for name in names if definitions[name].args) or names
        name = self.choices.pick(names)
        definition = definitions[name]
        alias = None
        if self.choices.chance(20):
            alias = self.choices.pick(ALIASES if self.choices.chance(90) else tuple(definitions))
        arguments = self._arguments(name, definition, product)
        below = _product_in(arguments, product)
        return Field(name, alias, arguments, self._directives(), self._below(definition, depth, below))

    def _again(self, one: Field, type_: GraphQLCompositeType, depth: int, product: int | None) -> Field:
        """The same field under the same key, which merges what is selected below."""
        definition = {**META, **_fields(type_)}[one.name]
        below = self._below(definition, depth, _product_in(one.arguments, product))
        return Field(one.name, one.alias, one.arguments, self._directives(), below)

    def _below(self, definition: GraphQLField, depth: int, product: int | None) -> list[Selection] | None:
        below = get_named_type(definition.type)
        return self.of(below, depth + 1, product) if is_composite_type(below) else None

    def _definitions(self, type_: GraphQLCompositeType, depth: int) -> dict[str, GraphQLField]:
        """What may be asked of ``type_``: leaves alone where there is no room to nest."""
        own = _fields(type_)
        if type_.name.startswith("__") or self.room <= 0 or depth >= DEEPEST:
            own = {name: one for name, one in own.items() if not is_composite_type(get_named_type(one.type))}
        own["__typename"] = META["__typename"]
        if type_ is self.schema.query_type and self.room > 0 and self.choices.chance(2):
            return META
        return own

    def _arguments(self, name: str, definition: GraphQLField, product: int | None) -> Arguments:
        returned = get_named_type(definition.type)
        names = [returned.name]
        if isinstance(returned, GraphQLAbstractType):
            names = [one.name for one in self.schema.get_possible_types(returned)]
        position = Position("", name, tuple(names), product)
        made: Arguments = {}
        # Enums first: a cursor fits one sort.
        for argument, of in sorted(definition.args.items(), key=lambda pair: pair[0] != "sort"):
            has_default = of.default_value is not Undefined
            required = isinstance(of.type, GraphQLNonNull) and not has_default
            if required or self.choices.chance(30):
                made[argument] = self.values.literal(of.type, replace(position, name=argument), has_default=has_default)
                if argument == "sort" and isinstance(_plain(made[argument]), str):
                    position = replace(position, sort=_plain(made[argument]))
        return made

    def _directives(self) -> list[tuple[str, Arguments]]:
        return [
            (directive.name, {"if": self.values.literal(directive.args["if"].type, Position("if"))})
            for directive in (GraphQLIncludeDirective, GraphQLSkipDirective)
            if self.choices.chance(5)
        ]

    def _inline(self, type_: GraphQLCompositeType, depth: int, product: int | None) -> Inline:
        on = self.choices.pick((None, *self._overlapping(type_)))
        self.room -= 1
        return Inline(on.name if on else None, self._directives(), self.of(on or type_, depth + 1, product))

    def _spread(self, type_: GraphQLCompositeType, depth: int, product: int | None) -> Spread:
        """A fragment that fits here: one that is complete already, so none spreads itself, or a new one."""
        overlapping = self._overlapping(type_)
        fitting = [one for one in self.fragments if any(one.on == on.name for on in overlapping)]
        if fitting and self.choices.chance(50):
            return Spread(self.choices.pick(fitting), self._directives())
        on = self.choices.pick(overlapping)
        self.room -= 1
        selections = self.of(on, depth + 1, product)
        fragment = Fragment(f"F{len(self.fragments)}", on.name, selections)
        self.fragments.append(fragment)
        return Spread(fragment, self._directives())

    def _overlapping(self, type_: GraphQLCompositeType) -> list[GraphQLCompositeType]:
        """The type conditions that may stand inside ``type_``, its own first."""
        others = [
            one
            for one in self.schema.type_map.values()
            if is_composite_type(one) and one is not type_ and do_types_overlap(self.schema, one, type_)
        ]
        return [type_, *others]


def _fields(type_: GraphQLCompositeType) -> dict[str, GraphQLField]:
    return dict(type_.fields) if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else {}


def _plain(value: Any) -> Any:
    return value.usual if isinstance(value, Variable) else value


def _product_in(arguments: Arguments, otherwise: int | None) -> int | None:
    """The product that the argument ``id`` names, as far as the document tells."""
    given = _plain(arguments.get("id"))
    if not isinstance(given, str | int):
        return otherwise
    decoded = identity.decode(str(given))
    return decoded[1][0] if decoded else identity.plain_number(str(given))
