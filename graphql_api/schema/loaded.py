"""A GraphQL field that shows what a loader brings: what to load is said apart from what is made of it.

So graphql-core loads, waits and calls, as with any resolver, and a plan may load the same together with other things,
earlier, or find it loaded already.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias, TypeVar

import strawberry
from strawberry.types.field import StrawberryField

from graphql_api.schema.objects import bringing
from loaders.batch import BatchLoader, Kind, Load

Shown = TypeVar("Shown")
Source: TypeAlias = Callable[..., "Load | Sequence[Load | None] | None"]
"""What an object's field loads, given the object and the field's arguments."""


class OfRow:
    """A source that the object's row decides: the loader ``loader``, the key of these ``columns``.

    ``by_product``: the product's number alone is the key, so what it loads is the same for all that is below a product.
    """

    def __init__(self, loader: type[BatchLoader[Any, Any]], *columns: str) -> None:
        self.kind = Kind(loader)
        self.columns = columns
        self.by_product = columns == ("product_id",)

    def __call__(self, source: Any) -> Load:
        """The load for the object ``source``."""
        key = tuple(getattr(source.row, column) for column in self.columns)
        return Load(self.kind, key if len(key) > 1 else key[0])


class Choice:
    """One of ``words``: by what a found row has in the column ``by``, and the object's own in ``number``, from 1."""

    def __init__(self, words: Mapping[str, Sequence[str]], *, by: str, number: str) -> None:
        self.words = words
        self.by = by
        self.number = number

    def of(self, found: object, own: object) -> str:
        """The word for the row ``own``, which has ``found``."""
        kind: str = getattr(found, self.by)
        place: int = getattr(own, self.number)
        return self.words[kind][place - 1]


class Each(Enum):
    """Where the rows are, in what a loader brings."""

    ONE = "the value is one"
    VALUE = "the value itself"
    PAGE = "its rows, as it is a page"


class LoadedField(StrawberryField):
    """``source`` says what to load and ``show`` makes the field's value of it.

    ``of`` is the loader, where ``source`` always names the same; ``many``: ``source`` gives a list of loads.
    Of a loaded list, ``find`` takes the one row whose column of that name equals the object's own; ``of_found`` says
    that what is shown depends on that row alone, so that a plan may make it once for all who find it, and ``choice``
    which word is shown of it. ``hint`` is a loader whose value ``source`` often asks for. ``each``: what is shown is an
    object of each of the rows that are there, or of the one row, made of it and nothing else, so that a plan may read
    the rows. ``beyond``: what is shown depends on the ends of the page that is loaded, and on what lies beyond them,
    and on nothing between.
    """

    source: Source
    show: Callable[..., Any]
    of: type[BatchLoader[Any, Any]] | None = None
    many: bool = False
    find: str | None = None
    of_found: bool = False
    choice: Choice | None = None
    hint: type[BatchLoader[Any, Any]] | None = None
    each: Each | None = None
    beyond: bool = False

    def __copy__(self) -> LoadedField:
        copied = super().__copy__()
        copied.source, copied.show, copied.of, copied.many = self.source, self.show, self.of, self.many
        copied.find, copied.of_found, copied.hint, copied.each = self.find, self.of_found, self.hint, self.each
        copied.beyond, copied.choice = self.beyond, self.choice
        return copied


def loaded(
    source: Source,
    *,
    description: str,
    of: type[BatchLoader[Any, Any]] | None = None,
    many: bool = False,
    find: str | None = None,
    of_found: bool = False,
    choice: Choice | None = None,
    hint: type[BatchLoader[Any, Any]] | None = None,
    each: Each | None = None,
    beyond: bool = False,
    objects: int = 1,
) -> Any:
    """Decorate ``show(self, value, **arguments)``, which is given what ``source(self, **arguments)`` loads.

    ``objects``: how many it brings, at least as many as real rows have.
    """

    def decorated(show: Callable[..., Shown]) -> LoadedField:
        own, value, *arguments = inspect.signature(show).parameters.values()

        async def resolver(self: Any, info: Any, **given: Any) -> Shown:
            found = await info.context.loaders.load(source(self, **given))
            return show(self, found if find is None else found_row(found, find, self.row), **given)

        info = value.replace(name="info", annotation=strawberry.Info)
        keywords = [argument.replace(kind=inspect.Parameter.KEYWORD_ONLY) for argument in arguments]
        resolver.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # what Strawberry reads
            [own, info, *keywords], return_annotation=inspect.signature(show).return_annotation
        )
        resolver.__name__, resolver.__module__, resolver.__doc__ = show.__name__, show.__module__, show.__doc__
        field = LoadedField(description=description, metadata=bringing(objects) if objects > 1 else {})
        field.source, field.show, field.of, field.many, field.find = source, show, of, many, find
        field.of_found, field.hint, field.each, field.beyond = of_found, hint, each, beyond
        field.choice = choice
        return field(resolver)

    return decorated


class NumberField(StrawberryField):
    """A field that needs of its product the number alone, so its loads may begin before the product is there."""


def by_number(*, description: str, objects: int) -> Any:
    """Decorate a resolver of ``objects`` that reads ``self.row.product_id`` and nothing else of ``self``."""
    return NumberField(description=description, metadata=bringing(objects))


def found_row(rows: Sequence[Any], column: str, own: Any) -> Any:
    """The one of ``rows`` that has the value of ``own`` in ``column``. Foreign keys hold that it is there."""
    wanted = getattr(own, column)
    return next(row for row in rows if getattr(row, column) == wanted)
