"""The catalogue that is measured: made once, and kept with an embedded PostgreSQL of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.db.embedded import EmbeddedPostgres
from graphql_api.db.migrate import migrate
from graphql_api.errors import OperatorError
from graphql_api.settings import Secret, Settings

HOT = 1
"""The product that has many reviews more than the others."""
USUAL, RARE, ABSENT = "delivery", "heirloom", "zeppelin"
"""Words to search among its reviews: in a quarter of them, in a dozen, in none."""
_RARE_REVIEWS = 12


@dataclass(frozen=True)
class Catalogue:
    """A database whose products have the numbers 1 to ``products``."""

    url: Secret
    socket: Path
    log: Path
    database: str
    version: str
    products: int
    reviews: int
    hot_reviews: int

    def address_of(self, database: str) -> Secret:
        """The address of another database of the same server."""
        return Secret(self.url.replace(self.database, database))


@contextmanager
def running_catalogue(state: Path, *, products: int, hot: int) -> Iterator[Catalogue]:
    """The catalogue of ``state`` on a running server; made first, where there is none of that size."""
    embedded = EmbeddedPostgres.of(state)
    database = f"bench_{products}_{hot}"
    with embedded.running():
        postgres = embedded.url_of("postgres")
        if not rows(postgres, "SELECT FROM pg_database WHERE datname = $1", database):
            _make(embedded, state, database, products, hot)
        url = embedded.url_of(database)
        try:
            migrate(url, Settings(state=state))  # one that is kept may be older than this build
        except OperatorError as error:
            sys.exit(str(error))
        ((reviews, hot_reviews, version),) = rows(
            url,
            "SELECT count(*), count(*) FILTER (WHERE product_id = $1), current_setting('server_version') FROM reviews",
            HOT,
        )
        yield Catalogue(
            url, embedded.socket, embedded.data / "server.log", database, version, products, reviews, hot_reviews
        )


def _make(embedded: EmbeddedPostgres, state: Path, database: str, products: int, hot: int) -> None:
    """Fill a database under another name: one that has its name is whole."""
    postgres, unfinished = embedded.url_of("postgres"), f"{database}_unfinished"
    print(f"Making a catalogue of {products:,} products, once …", flush=True)
    run(postgres, f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
    run(postgres, f"CREATE DATABASE {unfinished}")
    settings = Settings(state=state)
    url = embedded.url_of(unfinished)
    migrate(url, settings)
    with TemporaryDirectory(prefix="bench-files-", dir=state) as files:
        generate_folder(Path(files), products=products, seed=1, hot=hot)
        load_folder(url, Path(files), settings)
    # The made-up text has no rare words.
    run(
        url,
        "UPDATE reviews SET body = body || ' An ' || $1 || '.' WHERE product_id = $2 AND review_id % $3 = 0",
        RARE,
        HOT,
        hot // _RARE_REVIEWS + 1,
    )
    # Index-only scans need the visibility map, and what is measured no autovacuum beside it.
    run(url, "VACUUM (FREEZE, ANALYZE)")
    run(postgres, f"ALTER DATABASE {unfinished} RENAME TO {database}")
    run(postgres, "CHECKPOINT")


def rows(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """The rows of one statement, on a connection of its own."""
    return asyncio.run(_asked(url, "fetch", sql, arguments))


def run(url: str, sql: str, *arguments: object) -> None:
    """Run one statement, or without arguments several."""
    asyncio.run(_asked(url, "execute", sql, arguments))


async def _asked(url: str, how: str, sql: str, arguments: tuple[object, ...]) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await getattr(connection, how)(sql, *arguments)
    finally:
        await connection.close()
