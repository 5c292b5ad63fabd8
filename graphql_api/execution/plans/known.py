"""What a plan knows at a place: the rows that came ahead, and so what has to be waited for and what has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema

from graphql_api.execution.plans.selection import DEFINITION, Loader, Selected
from graphql_api.schema.column import RowField
from graphql_api.schema.loaded import LoadedField, OfRow
from graphql_api.schema.node import is_id
from graphql_api.schema.product import Product
from loaders.rows import ProductRow, as_row


@dataclass(eq=False)
class Known:
    """What came ahead with the rows of a load: to be taken up at the first object that is made of such a row."""

    loaders: tuple[Loader, ...]
    row_class: type[Any] | None
    maps: set[tuple[Loader, str]]
    row: str | None = None
    """The name of the row, once it is there."""
    near: bool = True
    """Whether no other load lies between the row and here. Below one, only what is the same for a product holds."""
    found: dict[tuple[Loader, str], str] = field(default_factory=dict)
    made_of_found: list[Selected] = field(default_factory=list)
    made: dict[Selected, str] = field(default_factory=dict)
    """By field, what it shows of each of the rows that can be found."""

    def value(self, loader: Loader) -> str:
        """The expression of what ``loader`` brought."""
        return f"{self.row}.ahead[{self.loaders.index(loader)}]"


def has_row(type_: GraphQLObjectType) -> bool:
    """Whether objects of ``type_`` are made of a row."""
    return "row" in type_.extensions[DEFINITION].origin.__annotations__


def fits(known: Known, type_: GraphQLObjectType) -> bool:
    """Whether objects of ``type_`` are made of the rows of ``known``, which has none yet."""
    if known.row is not None or known.row_class is None:
        return False
    return f"[{known.row_class.__name__}]" in str(type_.extensions[DEFINITION].origin.__annotations__.get("row", ""))


def below_load(selected: Selected, known: list[Known]) -> list[Known]:
    """What is known below a field that loads."""
    kept = [replace(one, near=False) for one in known if one.row is not None]
    if (selected.ahead or selected.page is not None) and selected.loader is not None:
        made = selected.made_of_found
        kept.append(Known(selected.ahead, selected.loader.row_class, selected.maps, made_of_found=made))
    return kept


def taken(known: Known) -> Known:
    """``known`` as it will be when its row is there."""
    return replace(known, row="row")


def known_of(selected: Selected, known: list[Known]) -> Known | None:
    """What holds the value of a loaded field already."""
    field_ = selected.field
    if not isinstance(field_, LoadedField) or not isinstance(field_.source, OfRow):
        return None
    for one in reversed(known):
        near = one.near or field_.source.by_product
        if one.row is not None and near and selected.loader in one.loaders:
            return one
    return None


def is_of_row(selected: Selected, parent: GraphQLObjectType) -> bool:
    """Whether the row of a ``parent`` alone says what the field shows."""
    return isinstance(selected.field, RowField) or is_id(selected.definition, parent)


def needs_object(type_: GraphQLObjectType, fields: Sequence[Selected], known: list[Known]) -> bool:
    """Whether ``fields`` need an object of ``type_``; else its row is enough."""
    here = [taken(one) if fits(one, type_) else one for one in known]
    return not all(
        one.definition is None
        or is_of_row(one, type_)
        or (isinstance(one.field, LoadedField) and one.field.each is not None and known_of(one, here) is not None)
        for one in fields
    )


_NOT_READ = (None,) * (len(ProductRow._fields) - 1)


def product_of_number(number: int) -> Product:
    """A product of which the number is known and nothing else."""
    return Product(row=as_row(ProductRow, (number, *_NOT_READ)))


def page_of_product(known: list[Known]) -> str:
    """The expression of the page that came with the row of the product that is known."""
    product = next(one for one in reversed(known) if one.row is not None and one.row_class is ProductRow)
    return f"{product.row}.ahead[{len(product.loaders)}]"


def hinted(selected: Selected, known: list[Known]) -> Known | None:
    """What holds the value that a loaded field often asks for."""
    field_ = selected.field
    if not isinstance(field_, LoadedField) or field_.hint is None:
        return None
    for one in reversed(known):
        if field_.hint in one.loaders:
            return one
    return None


class Waiting:
    """Says what has to be waited for, given what is known."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def for_field(self, selected: Selected, known: list[Known]) -> bool:
        """Whether the field is waited for, or anything below it."""
        if isinstance(selected.field, LoadedField) and known_of(selected, known) is None:
            return True
        return self.below(selected, known)

    def below(self, selected: Selected, known: list[Known]) -> bool:
        """Whether anything below the field's own value is waited for."""
        if isinstance(selected.field, LoadedField):
            known = below_load(selected, known)
        for type_name, fields in selected.below.items():
            type_ = self._schema.get_type(type_name)
            assert isinstance(type_, GraphQLObjectType)
            here = [taken(one) if fits(one, type_) else one for one in known]
            if any(self.for_field(one, here) for one in fields):
                return True
        return False
