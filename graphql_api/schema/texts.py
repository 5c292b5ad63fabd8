"""Text that clients send: what a search may be, and what the database can hold."""

from __future__ import annotations

from graphql_api.errors import BadUserInputError

MIN_SEARCH = 3
MAX_SEARCH = 200


def searched(search: str | None) -> str | None:
    """``search`` without blanks around it; ``None`` if none was given.

    Raises ``BadUserInputError`` under three characters, over 200, and where there is no word in it.
    """
    if search is None:
        return None
    text = search.strip()
    if len(text) < MIN_SEARCH:
        raise BadUserInputError(f"`search` needs at least {MIN_SEARCH} characters.")
    if len(text) > MAX_SEARCH:
        raise BadUserInputError(f"`search` has {len(text)} characters: at most {MAX_SEARCH} are searched for.")
    if not any(sign.isalnum() for sign in text):
        raise BadUserInputError("`search` needs at least one letter or digit.")
    if not storable(text):
        raise BadUserInputError("`search` holds a character that no text can hold.")
    return text


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold ``text``: it has no zero character and no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
