"""Fields that are said of the row alone: a column, or what a function makes of columns. Each is declared once.

graphql-core has the object that carries the row; a plan reads the row, and makes no object where nothing else is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from strawberry.types.field import StrawberryField
from strawberry.types.info import Info


class RowField(StrawberryField):
    """Shows what ``of`` makes of the ``row`` of its object."""

    def __init__(self, *, of: Callable[[Any], Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of = of
        # The object is made of its row alone.
        self.init = self.repr = self.compare = False

    def __copy__(self) -> RowField:
        copied = super().__copy__()
        copied.of = self.of
        return copied

    def get_result(
        self,
        source: Any,
        info: Info[Any, Any] | None,  # noqa: ARG002 - the base's signature
        args: list[Any],  # noqa: ARG002 - the same
        kwargs: Any,  # noqa: ARG002 - the same
    ) -> Awaitable[Any] | Any:
        """What is shown."""
        return self.shown(source.row)

    def shown(self, row: Any) -> Any:
        """What is shown of ``row``."""
        assert self.of is not None, "only a column says it by its name"
        return self.of(row)


class ColumnField(RowField):
    """Shows the row's attribute of its own name, or ``attribute``."""

    def __init__(self, *, attribute: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attribute = attribute

    def __copy__(self) -> ColumnField:
        copied = super().__copy__()
        assert isinstance(copied, ColumnField)
        copied.attribute = self.attribute
        return copied

    def shown(self, row: Any) -> Any:
        """The column's value."""
        return getattr(row, self.attribute or self.python_name)


def column(*, description: str, attribute: str | None = None, name: str | None = None) -> Any:
    """A field read from the row: ``rating: int = column(description="...")``.

    ``attribute`` is the row's attribute where it is not the field's name.
    """
    return ColumnField(attribute=attribute, description=description, graphql_name=name)


def of_row(of: Callable[[Any], Any], *, description: str, metadata: Mapping[Any, Any] | None = None) -> Any:
    """A field worked out of the row: ``count: int = of_row(lambda row: sum(row.counts), description="...")``."""
    return RowField(of=of, description=description, metadata=metadata or {})
