"""Which database a command works on: the one DATABASE_URL names, or the embedded one of the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.settings import Secret, Settings


@contextmanager
def database_of(settings: Settings) -> Iterator[Secret]:
    """Yield the libpq address; an embedded server is up for the time of the context.

    Raises ``StateError`` where the embedded server cannot be had.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres.of(settings.state).running() as url:
        yield url
