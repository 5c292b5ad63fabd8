"""What every connection has: the arguments of a page and the facts about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry

from graphql_api.errors import BadUserInputError
from loaders.page import Page, Window

MAX_PAGE = 100

Row = TypeVar("Row")

First = Annotated[
    int | None,
    strawberry.argument(description="How many items after `after`, or from the start: 1 to 100. Not with `last`."),
]
After = Annotated[str | None, strawberry.argument(description="The cursor that the page follows.")]
Last = Annotated[
    int | None,
    strawberry.argument(description="How many items before `before`, or from the end: 1 to 100. Not with `first`."),
]
Before = Annotated[str | None, strawberry.argument(description="The cursor that the page precedes.")]


@strawberry.type(description="Where a page lies in its connection.")
class PageInfo:
    """Both sides are looked for, so both are right on every page."""

    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item; null on an empty page.")


def window_of(first: int | None, last: int | None, before: str | None, *, default: int) -> Window:
    """The slice that the arguments ask for; with neither ``first`` nor ``last``, ``default`` items.

    A ``before`` alone takes the items just before it. Raises ``BadUserInputError`` outside 1 to 100 and for both.
    """
    if first is not None and last is not None:
        raise BadUserInputError("`first` and `last` cannot be given together: ask for one of them.")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= MAX_PAGE:
            raise BadUserInputError(f"`{name}` is {size}: a page has 1 to {MAX_PAGE} items.")
    if last is not None:
        return Window(last, backward=True)
    return Window(first or default, backward=first is None and before is not None)


def page_info_of(page: Page[Row], cursor_of: Callable[[Row], str]) -> PageInfo:
    """The facts about ``page``."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursor_of(page.rows[0]) if page.rows else None,
        end_cursor=cursor_of(page.rows[-1]) if page.rows else None,
    )
