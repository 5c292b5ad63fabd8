"""Which database a command works on: the one DATABASE_URL names, or the embedded one of the state folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from urllib.parse import urlsplit, urlunsplit

from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.keeping import kept_up
from graphql_api.errors import StateError
from graphql_api.settings import Secret, Settings


@contextmanager
def database_of(settings: Settings, keep: Callable[[str], None] | None = None) -> Iterator[Secret]:
    """Yield the libpq address; an embedded server is up for the time of the context.

    With ``keep``, which takes a line for the person, one that ends by itself is started again.

    Raises ``StateError`` where the embedded server cannot be had.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    server = EmbeddedPostgres.of(settings.state)
    with server.running() as url, nullcontext() if keep is None else kept_up(server, keep):
        yield url


def as_role(url: str, role: str) -> Secret:
    """``url`` of the embedded server, which trusts whoever reaches its socket, for ``role``."""
    return Secret(urlunsplit(urlsplit(url)._replace(netloc=f"{role}@")))


def url_at_hand(settings: Settings) -> Secret:
    """The libpq address of DATABASE_URL, else of the embedded server. Raises ``StateError`` unless that runs."""
    return settings.database_url or running_embedded(settings).url


def running_embedded(settings: Settings) -> EmbeddedPostgres:
    """The embedded database of the state folder. Raises ``StateError`` unless it runs."""
    if not (settings.state / "postgres.lock").exists():
        raise StateError(f"{settings.state} holds no embedded database: make one with reviews up.")
    embedded = EmbeddedPostgres.of(settings.state)
    if not embedded.is_running():
        raise StateError(f"The embedded database of {settings.state} is not running: start it with reviews up.")
    return embedded
