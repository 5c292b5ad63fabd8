"""Values of arguments: mostly such that answers have content, sometimes refused only when the operation runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    get_named_type,
)

from graphql_api.schema import identity
from tests.harness.queries.catalogue import Catalogue
from tests.harness.queries.document import ABSENT, EnumName, Operation, Variable, variables_of

T = TypeVar("T")

SIZES = (1, 2, 3, 5), (100, 0, 101, -1, 2**31 - 1)
STARS = (5, 4, 3, 2, 1), (0, 6, 9)
SEARCHES = ("shoes", "the", "lik", "these pants", "ok!"), ("zzz", "", "ab", " a ", "---", "a\x00bc", "\u00e9" * 201)
# Ordinary and strange values, by type and name. Of any other name the type alone decides, so that a new argument is
# given as well.
KNOWN: dict[tuple[str, str], tuple[Sequence[Any], Sequence[Any]]] = {
    ("Int", "first"): SIZES,
    ("Int", "last"): SIZES,
    ("Int", "ratings"): STARS,
    ("String", "search"): SEARCHES,
}
TEXTS = ("", "x", "shoes", "\u00e9", "a\x00bc")
PLAIN: dict[str, Sequence[Any]] = {
    "Int": (1, 0, 2, 5, -1, 2**31 - 1, -(2**31)),
    "Float": (0.5, 0, 1, -1.5),
    "Boolean": (False, True),
}
NO_CURSORS = ("", "x", "cmV2aWV3cw", "cmV2aWV3czpORVdFU1R8MXwxfDE", "\u00e9", "cGhvdG9zfDF8eHx5fHo")
# 14 is a reported review, 12 a product that only reviews name, 999 nothing.
NO_IDS = (
    "999",
    "14",
    "12",
    "0",
    "-1",
    "01",
    "",
    "x",
    str(2**63),
    identity.encode("Review", 7, 14),
    identity.encode("Product", 999),
    identity.encode("Photo", 5, 9, 4),
    identity.encode("Characteristic", 2, 1),
)
GARBAGE = (True, "x", 1.5, 2**31, [[1]], {"no": 1}, None, [None], "RELEVANT", -1)


class Choices:
    """Everything by chance that a case is made of."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def below(self, count: int) -> int:
        return int(self._random.random() * count)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


@dataclass(frozen=True)
class Position:
    """Where a value goes: the argument or input field ``name``, below the field ``field`` that returns ``returned``.

    ``product``: the product that the field belongs to, if the document says it; ``sort``: what the same field is
    sorted by.
    """

    name: str
    field: str = ""
    returned: tuple[str, ...] = ()
    product: int | None = None
    sort: str | None = None


@dataclass
class Values:
    """Makes values. ``variables`` collects those that were made on the way."""

    choices: Choices
    catalogue: Catalogue
    variables: list[tuple[Position, Variable]] = field(default_factory=list)
    _types: dict[Variable, tuple[GraphQLInputType, Position]] = field(default_factory=dict)

    def literal(self, type_: GraphQLInputType, position: Position, *, has_default: bool = False) -> Any:
        """A value for a document, with variables anywhere in it."""
        if self.choices.chance(30):
            return self._variable(type_, position, has_default=has_default)
        return self._value(type_, position, self.literal)

    def plain(self, type_: GraphQLInputType, position: Position, *, has_default: bool = False) -> Any:  # noqa: ARG002
        """A value without variables, which validation would accept."""
        return self._value(type_, position, self.plain)

    def given_to(self, operations: list[Operation]) -> dict[str, Any]:
        """Values for the variables of a request, some of them such that coercion refuses them, or missing."""
        given = {"unasked": 1} if self.choices.chance(3) else {}
        for variable in variables_of(operations):
            type_, position = self._types[variable]
            required = isinstance(type_, GraphQLNonNull) and variable.default is ABSENT
            if not self.choices.chance(98 if required else 70):
                continue
            # What was drawn first is what the arguments beside it were drawn for.
            given[variable.name] = variable.usual if self.choices.chance(50) else self._given(type_, position)
        return given

    def _given(self, type_: GraphQLInputType, position: Position, *, has_default: bool = False) -> Any:  # noqa: ARG002
        if self.choices.chance(1):
            return self.choices.pick(GARBAGE)
        return self._value(type_, position, self._given)

    def _value(self, type_: GraphQLInputType, position: Position, part: Callable[..., Any]) -> Any:
        """A value of ``type_``, whose items and fields ``part`` makes."""
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self.choices.chance(8):
            return None
        match type_:
            case GraphQLList(of_type=inner):
                return self._list(inner, position, part)
            case GraphQLEnumType():
                return EnumName(self.choices.pick(tuple(type_.values)))
            case GraphQLInputObjectType():
                return self._object(type_, part)
        return self._scalar(type_.name, position)

    def _list(self, inner: GraphQLInputType, position: Position, part: Callable[..., Any]) -> Any:
        if self.choices.chance(10):  # one value stands for a list of it, but a variable does not
            return self._value(GraphQLNonNull(cast("Any", get_named_type(inner))), position, self.plain)
        if self.choices.chance(1):
            return [part(inner, position)] * 101
        return [part(inner, position) for _ in range(self.choices.pick((1, 2, 3, 0)))]

    def _object(self, type_: GraphQLInputObjectType, part: Callable[..., Any]) -> dict[str, Any]:
        made = {}
        for name, of in type_.fields.items():
            has_default = of.default_value is not Undefined
            if self.choices.chance(35) or (isinstance(of.type, GraphQLNonNull) and not has_default):
                made[name] = part(of.type, Position(name), has_default=has_default)
        return made

    def _scalar(self, type_name: str, position: Position) -> Any:
        if type_name == "ID":
            return self._id(position)
        if position.name in {"after", "before"}:
            return self._cursor(position)
        if position.name == "category":
            return self.choices.pick((*self.catalogue.categories, "", "None such"))
        known = KNOWN.get((type_name, position.name))
        if known is None:
            return self.choices.pick(PLAIN.get(type_name, TEXTS))
        ordinary, strange = known
        return self.choices.pick(ordinary if self.choices.chance(90) else strange)

    def _id(self, position: Position) -> str | int:
        fitting = [one for name in position.returned for one in self.catalogue.ids.get(name, ())]
        if not fitting or self.choices.chance(8):
            fitting = [one for of in self.catalogue.ids.values() for one in of] + list(NO_IDS)
        one = self.choices.pick(fitting)
        return int(one) if one.isdecimal() and one == str(int(one)) and self.choices.chance(30) else one

    def _cursor(self, position: Position) -> str:
        found = [cursor for cursor in self.catalogue.cursors if cursor.field == position.field]
        own = [cursor for cursor in found if cursor.product in {None, position.product}]
        sort = position.sort or "RELEVANT"
        fitting = [cursor for cursor in own if cursor.sort in {None, sort}]
        if not self.choices.chance(85):
            fitting = self.choices.pick((own, found, list(self.catalogue.cursors)))
        if not fitting or self.choices.chance(4):
            return self.choices.pick(NO_CURSORS)
        return self.choices.pick(fitting).text

    def _variable(self, type_: GraphQLInputType, position: Position, *, has_default: bool) -> Variable:
        choices = self.choices
        declared = type_
        if isinstance(type_, GraphQLNonNull):
            # The specification lets a nullable variable stand here where a default may step in; null then fails late.
            if (has_default and choices.chance(50)) or choices.chance(25):
                declared = type_.of_type
        elif choices.chance(15):
            declared = GraphQLNonNull(type_)
        fits = [made for at, made in self.variables if (at.name, made.type) == (position.name, str(declared))]
        if fits and choices.chance(35):
            return choices.pick(fits)
        needs_default = isinstance(type_, GraphQLNonNull) and declared is not type_ and not has_default
        default = ABSENT
        if needs_default:
            default = self._value(type_, position, self.plain)  # as the position wants it: not null
        elif choices.chance(35):
            default = self.plain(declared, position)
        name = f"{position.name}{len(self.variables)}"
        variable = Variable(name, str(declared), default, self.plain(declared, position))
        self.variables.append((position, variable))
        self._types[variable] = declared, position
        return variable
