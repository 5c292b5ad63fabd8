"""A GraphQL field that is a column: declared once, read straight from the row its object carries."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from strawberry.types.field import StrawberryField
from strawberry.types.info import Info


class ColumnField(StrawberryField):
    """Reads the attribute of its own name, or ``attribute``, from the ``row`` of its object."""

    def __init__(self, *, attribute: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attribute = attribute
        # The object is made of its row alone.
        self.init = self.repr = self.compare = False

    def __copy__(self) -> ColumnField:
        copied = super().__copy__()
        copied.attribute = self.attribute
        return copied

    def get_result(
        self,
        source: Any,
        info: Info[Any, Any] | None,  # noqa: ARG002 - the base's signature
        args: list[Any],  # noqa: ARG002 - the same
        kwargs: Any,  # noqa: ARG002 - the same
    ) -> Awaitable[Any] | Any:
        """The column's value."""
        return getattr(source.row, self.attribute or self.python_name)


def column(*, description: str, attribute: str | None = None, name: str | None = None) -> Any:
    """A field read from the row: ``rating: int = column(description="...")``.

    ``attribute`` is the row's attribute where it is not the field's name.
    """
    return ColumnField(attribute=attribute, description=description, graphql_name=name)
