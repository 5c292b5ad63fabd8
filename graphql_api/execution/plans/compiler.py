"""From an operation to the source of a Python function that answers it.

The function mirrors the query: a loop where the query has a list, a dict display where it has an object. It says
nothing of errors. Whatever raises ends it, and graphql-core runs the operation, which knows all about them.

An object's loads begin before any of them is waited for. What may come ahead with a row, in the row's own statement,
is asked for there; a page that needs its product's number alone begins beside the product.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_leaf_type,
    is_object_type,
)

from graphql_api.execution.plans.arguments import Arguments
from graphql_api.execution.plans.begun import Begun, Started, WithPage
from graphql_api.execution.plans.calls import Calls, call_with
from graphql_api.execution.plans.known import (
    Known,
    Waiting,
    below_load,
    fits,
    has_row,
    hinted,
    is_of_row,
    known_of,
    needs_object,
    page_of_product,
    product_of_number,
    taken,
)
from graphql_api.execution.plans.leaves import leaf
from graphql_api.execution.plans.selection import DEFINITION, Loader, Selected, Selection
from graphql_api.execution.plans.source import Source
from graphql_api.execution.plans.unsupported import UnsupportedError
from graphql_api.schema import identity
from graphql_api.schema.column import ColumnField, RowField
from graphql_api.schema.loaded import Each, LoadedField, NumberField, found_row
from graphql_api.schema.node import is_id
from loaders.batch import Extent
from loaders.products import ProductsById


class Compiler:
    """Writes the function of one selection."""

    def __init__(self, schema: GraphQLSchema, selection: Selection, arguments: Arguments) -> None:
        self._schema = schema
        self._selection = selection
        self._source = Source()
        self._calls = Calls(self._source, selection, arguments)
        self._waiting = Waiting(schema)
        self._started: list[Loader | None] = []
        self._product: WithPage | None = None

    def compile(self) -> tuple[str, dict[str, Any]]:
        """The source of ``async def run(o, v, s)``, and the constants that it names. Raises ``UnsupportedError``.

        ``o`` is the root object, which nobody reads, ``v`` the coerced variables, ``s`` the request's ``Loading``.
        """
        fields = self._selection.fields
        started = self._begin(fields, "o", [])
        value = self._object(self._selection.root, fields, "o", [], started)
        self._source.line(f"return {value}")
        assert self._product is None, "a product begins where its page does"
        text = self._source.text("async def run(o, v, s):")
        if len(set(self._started)) < len(self._started):
            text = text.replace("s.start(", "s.start_once(")
        return text, self._source.constants

    # --- What begins before it is waited for

    def _begin(self, fields: Sequence[Selected], o: str, known: list[Known], *, by_number: bool = False) -> Started:
        """Start the loads of ``fields`` of the object ``o``; ``by_number``: only those that need a product's number."""
        started: Started = {}
        shared: dict[Any, Begun] = {}
        for selected in fields:
            if isinstance(selected.field, LoadedField):
                if not by_number and known_of(selected, known) is None:
                    key = (selected.field.source, self._calls.arguments(selected), _extent(selected), selected.page)
                    if key not in shared:
                        shared[key] = self._load(selected, o, known)
                    started[selected] = shared[key]
            elif isinstance(selected.field, NumberField) or not by_number:
                begun = self._make(selected, o, known)
                if begun is not None:
                    started[selected] = begun
        return started

    def _make(self, selected: Selected, o: str, known: list[Known]) -> Begun | None:
        """Make the object of a field that loads nothing itself, if something right below it does."""
        if selected.definition is None or not selected.only or not isinstance(selected.definition.type, GraphQLNonNull):
            return None
        if not is_object_type(selected.definition.type.of_type):
            return None
        if not any(isinstance(below.field, LoadedField) for below in selected.only):
            return None
        made = self._source.local("o")
        self._source.line(f"{made} = {self._calls.resolved(selected, o)}")
        return Begun(made=made, below=self._begin(selected.only, made, known))

    def _load(self, selected: Selected, o: str, known: list[Known]) -> Begun:
        field_, source = selected.field, self._source
        assert isinstance(field_, LoadedField)
        self._started.append(selected.loader)
        pending, load = source.local("f"), source.local("l")
        name = selected.details[0].node.name.value
        extent = source.constant(f"{name}_extent", _extent(selected))
        given = call_with(o, self._calls.arguments(selected))
        source.line(f"{load} = {source.constant(f'{name}_source', field_.source)}({given})")
        if field_.many:
            source.line(f"{pending} = s.start_many({load}, {extent})")
            return Begun(pending=pending, count=f"len({load})")
        if self._product is not None and selected is self._product.page:
            with_product, self._product = self._product, None
            source.line(f"{with_product.pending}, {pending} = s.start_with({with_product.call}, {load}, {extent})")
            return Begun(pending=pending, with_product=True)
        if selected.page is not None:
            # Both begin where the page is known.
            source.line(f"{pending} = None")
            self._product = WithPage(selected.page, f"{load}, {extent}", pending)
            return Begun(pending=pending, below=self._begin_by_number(selected, load, known))
        begin = f"s.start({load}, {extent})"
        if hinted(selected, known) is not None:
            begin = f"None if {load}.kind.loader is {source.constant(field_.hint.__name__, field_.hint)} else {begin}"  # type: ignore[union-attr] # it has one
        source.line(f"{pending} = {begin}")
        return Begun(pending=pending, below=self._begin_by_number(selected, load, known))

    def _begin_by_number(self, selected: Selected, load: str, known: list[Known]) -> Started:
        """Start below a product what needs its number alone."""
        source = self._source
        numbers = [below for below in selected.only if isinstance(below.field, NumberField)]
        if selected.loader is not ProductsById or not numbers:
            return {}
        with source.block(f"if {load} is not None:"):
            product = source.local("o")
            source.line(f"{product} = {source.constant('product_of_number', product_of_number)}({load}.key)")
            return self._begin(numbers, product, [*known, Known(selected.ahead, None, set())], by_number=True)

    # --- Objects, lists and leaves

    def _object(
        self,
        type_: GraphQLObjectType,
        fields: Sequence[Selected],
        o: str,
        known: list[Known],
        started: Started,
        row: str | None = None,
    ) -> str:
        """A dict display for the object ``o``, whose ``row`` may have a name already."""
        source = self._source
        if (
            row is None
            and has_row(type_)
            and (
                any(isinstance(one.field, LoadedField) or is_of_row(one, type_) for one in fields)
                or any(fits(one, type_) for one in known)
            )
        ):
            row = source.local("r")
            source.line(f"{row} = {o}.row")
        if row is not None:
            known = self._taken_up(type_, row, known)
        parts: dict[str, str] = {}
        deep = [selected for selected in fields if selected.below and self._waiting.below(selected, known)]
        together = []
        for selected in fields:
            if len(deep) > 1 and selected in deep:
                function = source.local("g")
                with source.block(f"async def {function}():"):
                    source.line(f"return {self._field(type_, selected, o, row, known, started)}")
                together.append((selected.key, function))
                parts[selected.key] = ""
            else:
                parts[selected.key] = self._field(type_, selected, o, row, known, started)
        if together:
            names = [source.local("x") for _ in together]
            gather = source.constant("gather", asyncio.gather)
            source.line(
                f"{', '.join(names)} = await {gather}({', '.join(f'{function}()' for _, function in together)})"
            )
            for (key, _), name in zip(together, names, strict=True):
                parts[key] = name
        return "{" + ", ".join(f"{key!r}: {value}" for key, value in parts.items()) + "}"

    def _field(
        self,
        parent: GraphQLObjectType,
        selected: Selected,
        o: str,
        row: str | None,
        known: list[Known],
        started: Started,
    ) -> str:
        if selected.definition is None:
            return repr(parent.name)
        begun = started.get(selected)
        field_ = selected.field
        if isinstance(field_, ColumnField):
            value = f"{row}.{field_.attribute or field_.python_name}"
        elif isinstance(field_, RowField):
            value = f"{self._source.constant(selected.details[0].node.name.value, field_.of)}({row})"
        elif is_id(selected.definition, parent):
            value = f"{self._source.constant('id_of', identity.of_row)}({parent.name!r}, {row})"
        elif isinstance(field_, LoadedField):
            ready = known_of(selected, known)
            if ready is not None and selected in ready.made:
                return f"{ready.made[selected]}[{row}.{field_.find}]"
            value = self._shown(selected, o, row, known, ready, begun)
            if selected.json is not None and field_.each is not None:
                return value  # the fields below are in it
            known = below_load(selected, known)
        else:
            value = begun.made if begun is not None and begun.made is not None else self._calls.resolved(selected, o)
        return self._completed(selected.definition.type, selected, value, known, begun, nullable=True)

    def _shown(
        self, selected: Selected, o: str, row: str | None, known: list[Known], ready: Known | None, begun: Begun | None
    ) -> str:
        """The expression for what a loaded field shows, or for its rows; ``ready`` is what holds its value already."""
        field_, source = selected.field, self._source
        assert isinstance(field_, LoadedField)
        name = source.local("v")
        if ready is not None:
            value = ready.value(selected.loader)  # type: ignore[arg-type] # known by it
            if field_.find:
                found = ready.found.get((selected.loader, field_.find))  # type: ignore[arg-type] # the same
                value = f"{found}[{row}.{field_.find}]"
            elif ready.row != row:
                with source.block(f"if {row}.product_id != {ready.row}.product_id:"):
                    source.line(f"raise {source.constant('unsupported', UnsupportedError)}('another product')")
        else:
            assert begun is not None
            if begun.count is not None:
                value = f"await s.all({begun.count}, {begun.pending})"
            else:
                hint = hinted(selected, known)
                otherwise = "None" if hint is None else hint.value(field_.hint)  # type: ignore[arg-type] # hinted by it
                if begun.with_product:
                    otherwise = page_of_product(known)
                value = f"{otherwise} if {begun.pending} is None else (await {begun.pending})[0]"
            if field_.find:
                value = f"{source.constant('found_row', found_row)}({value}, {field_.find!r}, {row})"
        source.line(f"{name} = {value}")
        if field_.each is not None:
            if selected.json is not None:
                return f"{source.constant('fragment', orjson.Fragment)}({name}.json)"
            return f"{name}.rows" if field_.each is Each.PAGE else name
        show = source.constant(f"{selected.details[0].node.name.value}_show", field_.show)
        return f"{show}({call_with(f'{o}, {name}', self._calls.arguments(selected))})"

    def _completed(
        self,
        type_: GraphQLOutputType,
        selected: Selected,
        value: str,
        known: list[Known],
        begun: Begun | None,
        *,
        nullable: bool,
    ) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._completed(type_.of_type, selected, value, known, begun, nullable=False)
        if is_leaf_type(type_):
            return leaf(self._source, type_, value, nullable=nullable)
        if nullable:
            name = self._source.local("x")
            self._source.line(f"{name} = {value}")
            with self._source.block(f"if {name} is not None:"):
                self._source.line(f"{name} = {self._composite(type_, selected, name, known, begun)}")
            return name
        return self._composite(type_, selected, value, known, begun)

    def _composite(
        self, type_: GraphQLOutputType, selected: Selected, value: str, known: list[Known], begun: Begun | None
    ) -> str:
        if isinstance(type_, GraphQLList):
            return self._list(type_.of_type, selected, value, known)
        source = self._source
        o = source.local("o")
        row = None
        if isinstance(selected.field, LoadedField) and selected.field.each is not None:
            assert is_object_type(type_)
            row = value
            if needs_object(type_, selected.below[type_.name], known):
                source.line(f"{o} = {source.constant(type_.name, type_.extensions[DEFINITION].origin)}(row={row})")
        else:
            source.line(f"{o} = {value}")
        if is_object_type(type_):
            fields = selected.below[type_.name]
            started = begun.below if begun is not None else {}
            rest = [one for one in fields if one not in started]
            if begun is None or begun.made is None:
                here = [taken(one) if fits(one, type_) else one for one in known]
                started = {**started, **self._begin(rest, o, here)}
            return self._object(type_, fields, o, known, started, row)
        name = source.local("x")
        kind = source.local("c")
        source.line(f"{kind} = {o}.__class__")
        word = "if"
        for type_name, fields in selected.below.items():
            possible = self._schema.get_type(type_name)
            assert isinstance(possible, GraphQLObjectType)
            origin = source.constant(type_name, possible.extensions[DEFINITION].origin)
            with source.block(f"{word} {kind} is {origin}:"):
                started = self._begin(fields, o, known)
                source.line(f"{name} = {self._object(possible, fields, o, known, started)}")
            word = "elif"
        with source.block("else:"):
            source.line(f"raise {source.constant('unsupported', UnsupportedError)}('type')")
        return name

    def _list(self, item: GraphQLOutputType, selected: Selected, value: str, known: list[Known]) -> str:
        source = self._source
        inner = item.of_type if isinstance(item, GraphQLNonNull) else item
        each = source.local("i")
        if is_leaf_type(inner):
            return f"[{leaf(source, inner, each, nullable=inner is item)} for {each} in {value}]"
        name = source.local("x")
        if self._waiting.below(selected, known):
            self._started += [None, None]  # as many as there are items
            function = source.local("g")
            with source.block(f"async def {function}({each}):"):
                source.line(f"return {self._completed(item, selected, each, known, None, nullable=True)}")
            gather = source.constant("gather", asyncio.gather)
            source.line(f"{name} = await {gather}(*[{function}({each}) for {each} in {value}])")
            return name
        source.line(f"{name} = []")
        with source.block(f"for {each} in {value}:"):
            source.line(f"{name}.append({self._completed(item, selected, each, known, None, nullable=True)})")
        return name

    # --- What came ahead

    def _taken_up(self, type_: GraphQLObjectType, row: str, known: list[Known]) -> list[Known]:
        taken = []
        for one in known:
            if fits(one, type_):
                mine = Known(one.loaders, one.row_class, one.maps, row, made_of_found=one.made_of_found)
                for loader, column in sorted(one.maps, key=str):
                    if loader in one.loaders:
                        mapped = self._source.local("m")
                        self._source.line(f"{mapped} = {{i.{column}: i for i in {mine.value(loader)}}}")
                        mine.found[loader, column] = mapped
                taken.append(mine)
                for selected in one.made_of_found:
                    self._make_of_found(selected, mine, taken)
            else:
                taken.append(one)
        return taken

    def _make_of_found(self, selected: Selected, known: Known, all_known: list[Known]) -> None:
        """Write what a field shows of each row that can be found, by the column that it is found by."""
        field_, source = selected.field, self._source
        assert isinstance(field_, LoadedField)
        assert selected.definition is not None
        loader = selected.loader
        if loader not in known.loaders or self._waiting.below(selected, all_known) or self._calls.arguments(selected):
            return
        made, each = source.local("p"), source.local("i")
        source.line(f"{made} = {{}}")
        with source.block(f"for {each} in {known.value(loader)}:"):
            show = source.constant(f"{selected.details[0].node.name.value}_show", field_.show)
            value = f"{show}(None, {each})"
            below = below_load(selected, all_known)
            shown = self._completed(selected.definition.type, selected, value, below, None, nullable=True)
            source.line(f"{made}[{each}.{field_.find}] = {shown}")
        known.made[selected] = made


def _extent(selected: Selected) -> Extent:
    return Extent(selected.ahead, selected.beyond, selected.json)
