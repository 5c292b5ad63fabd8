"""What an operation does, as a tree: its fields, what loads each, and what comes ahead in which statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, print_ast

from graphql_api.execution.plans.known import Known, below_load, fits, hinted, known_of, taken
from graphql_api.execution.plans.selection import Loader, Selected, Selection
from graphql_api.schema.loaded import LoadedField, NumberField
from loaders.products import ProductsById


@dataclass(frozen=True)
class Loaded:
    """What a field shows, by the names of loaders. Without ``loader`` the field's arguments choose one.

    ``ahead`` comes in the loader's own statement; ``within`` is the loader in whose statement this one's rows came.
    ``usually``: the arguments may choose another one. ``same_as``: the field beside it that asks for the same.
    ``found_by``: the column by which one row of many is taken. ``is_written``: PostgreSQL writes what is below as JSON,
    in the statement of ``with_row`` unless the arguments have a filter or a cursor.
    """

    loader: str | None
    ahead: tuple[str, ...] = ()
    within: str | None = None
    usually: bool = False
    same_as: str | None = None
    found_by: str | None = None
    is_written: bool = False
    with_row: str | None = None


@dataclass(frozen=True)
class Step:
    """A field under its key in the answer. ``on``: the type of object that has it, where several can be there.

    ``early``: it needs of its product the number alone, so that what it loads begins beside the product.
    """

    key: str
    field: str
    on: str | None
    loaded: Loaded | None
    early: bool
    below: tuple[Step, ...]


@dataclass(eq=False)
class _Coming(Known):
    """Rows that come ahead, and the loader that brings them."""

    of: str = ""


class Tree:
    """Makes the steps of a selection. ``planned``: a plan runs it, else graphql-core, for which nothing comes ahead."""

    def __init__(self, schema: GraphQLSchema, *, planned: bool) -> None:
        self._schema = schema
        self._planned = planned
        self._with_row: dict[Selected, str] = {}
        """Pages that may come with the row of a product, and the loader of that."""

    def of(self, selection: Selection) -> tuple[Step, ...]:
        """The steps below the root."""
        return self._steps(selection.fields, [])

    def _steps(
        self, fields: Sequence[Selected], known: list[Known], *, on: str | None = None, early: bool = False
    ) -> tuple[Step, ...]:
        firsts: dict[Any, str] = {}
        return tuple([self._step(selected, known, firsts, on, early=early) for selected in fields])

    def _step(
        self, selected: Selected, known: list[Known], firsts: dict[Any, str], on: str | None, *, early: bool
    ) -> Step:
        loaded, by_number = None, False
        if selected.page is not None:
            for page in next(one.only for one in selected.only if selected.page in one.only):
                self._with_row[page] = _name(selected.loader) or ""
        below: list[Known] = known
        if isinstance(selected.field, LoadedField):
            loaded = self._loaded(selected, selected.field, known, firsts)
            by_number = selected.loader is ProductsById and not selected.field.many and loaded.within is None
            below = self._below(selected, known)
        steps: list[Step] = []
        for name, fields in selected.below.items():
            type_ = self._schema.get_type(name)
            assert isinstance(type_, GraphQLObjectType)
            here = [taken(one) if fits(one, type_) else one for one in below]
            several = name if len(selected.below) > 1 else None
            steps += self._steps(fields, here, on=several, early=by_number)
        if loaded is not None and loaded.is_written:
            steps = [_bare(step) for step in steps]
        name = selected.details[0].node.name.value
        begins = early and self._planned and isinstance(selected.field, NumberField)
        return Step(selected.key, name, on, loaded, begins, tuple(steps))

    def _loaded(self, selected: Selected, field: LoadedField, known: list[Known], firsts: dict[Any, str]) -> Loaded:
        own = known_of(selected, known) or hinted(selected, known)
        loader = _name(selected.loader if field.hint is None or own is None else field.hint)
        if isinstance(own, _Coming):
            return Loaded(loader, within=own.of, usually=field.hint is not None, found_by=field.find)
        arguments = tuple(print_ast(one) for one in selected.details[0].node.arguments or ())
        first = firsts.setdefault((field.source, arguments), selected.key)
        ahead = tuple(one.__name__ for one in selected.ahead) if self._planned else ()
        is_written = self._planned and selected.json is not None and field.each is not None
        return Loaded(
            loader,
            ahead,
            same_as=None if first == selected.key else first,
            found_by=field.find,
            is_written=is_written,
            with_row=self._with_row.get(selected) if is_written else None,
        )

    def _below(self, selected: Selected, known: list[Known]) -> list[Known]:
        """What is known below a field that loads: nothing where graphql-core runs the operation."""
        if not self._planned:
            return []
        of = _name(selected.loader) or ""
        return [one if isinstance(one, _Coming) else _Coming(**vars(one), of=of) for one in below_load(selected, known)]


def _bare(step: Step) -> Step:
    """``step`` without what loads it: it comes with the text of what is above."""
    return replace(step, loaded=None, below=tuple([_bare(one) for one in step.below]))


def _name(loader: Loader | None) -> str | None:
    return None if loader is None else loader.__name__
