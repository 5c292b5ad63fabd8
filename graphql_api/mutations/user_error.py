"""What the shopper can put right, as data."""

from __future__ import annotations

from enum import Enum

import strawberry

from graphql_api.schema.texts import storable


@strawberry.enum(description="What is wrong with an input.")
class UserErrorCode(Enum):
    """Stable; the message may change."""

    REQUIRED = strawberry.enum_value("REQUIRED", description="It is missing or blank.")
    INVALID = strawberry.enum_value("INVALID", description="It has not the form that is needed.")
    TOO_SHORT = strawberry.enum_value("TOO_SHORT", description="It has too few characters.")
    TOO_LONG = strawberry.enum_value("TOO_LONG", description="It has too many characters.")
    TOO_MANY = strawberry.enum_value("TOO_MANY", description="There are too many of it.")
    OUT_OF_RANGE = strawberry.enum_value("OUT_OF_RANGE", description="The number is too small or too large.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="There is no such thing.")
    DUPLICATE = strawberry.enum_value("DUPLICATE", description="It was done or given before.")
    CONFLICT = strawberry.enum_value("CONFLICT", description="The key stands for another input.")


@strawberry.type(description="One problem of an input. While there is any, nothing was stored.")
class UserError:
    """Made by ``Problems``."""

    field: list[str] | None = strawberry.field(
        description='The path in the arguments, such as `["input", "photos", "2"]`.'
    )
    message: str = strawberry.field(description="A sentence for the shopper.")
    code: UserErrorCode = strawberry.field(description="What kind of problem it is.")


class Problems:
    """Gathers every problem of one input, so that all come back at once."""

    def __init__(self) -> None:
        self.found: list[UserError] = []

    def add(self, code: UserErrorCode, message: str, *path: str | int) -> None:
        """Note a problem at ``path`` below ``input``."""
        self.found.append(UserError(field=["input", *map(str, path)], message=message, code=code))

    def text(self, text: str, name: str, *path: str, low: int = 0, high: int) -> str:
        """``text`` without blanks around it, checked to have ``low`` to ``high`` code points and to be storable."""
        trimmed = text.strip()
        if not storable(trimmed):
            self.add(UserErrorCode.INVALID, f"{name} holds a character that cannot be stored.", *path)
        elif low and not trimmed:
            self.add(UserErrorCode.REQUIRED, f"{name} is missing.", *path)
        elif len(trimmed) < low:
            message = f"{name} needs at least {low} characters; it has {len(trimmed)}."
            self.add(UserErrorCode.TOO_SHORT, message, *path)
        elif len(trimmed) > high:
            message = f"{name} may have at most {high} characters; it has {len(trimmed)}."
            self.add(UserErrorCode.TOO_LONG, message, *path)
        return trimmed
