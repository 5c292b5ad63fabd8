"""``reviews up``: from nothing to a running gateway with data, a line a step."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from rich.console import Console

from etl.generating.folder import generate_folder
from etl.load import advance_numbers, load_folder
from etl.progress import watching
from etl.show import console as screen
from etl.show import show
from graphql_api.db.granting import grant
from graphql_api.db.location import as_role, database_of
from graphql_api.db.migrate import migrate
from graphql_api.errors import OperatorError
from graphql_api.graphiql.assets import IntegrityMismatchError, install
from graphql_api.graphiql.files import read
from graphql_api.serving import listening_socket, serve
from graphql_api.settings import Settings

GATEWAY_ROLE = "reviews_gateway"
DEMO_PRODUCTS, DEMO_SEED, DEMO_HOT = 2_000, 1, 20_000


def up(settings: Settings, *, csv: Path | None, demo: bool) -> None:
    """Serve, with the database up and filled for the time of it.

    ``csv`` is loaded once instead of the demo catalogue. Raises ``OperatorError`` for what can be put right.
    """
    say = saying()
    # A terminal that closes and a supervisor that stops us must stop PostgreSQL too, as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    listening = listening_socket(settings.host, settings.port)
    try:
        with prepared(settings, csv=csv, demo=demo) as url:
            os.environ["DATABASE_URL"] = url
            os.environ["REVIEWS_STATE"] = str(settings.state)
            serve(listening, settings, ready=lambda address: say(_welcome(address)))
            say("Stopping …")
    except KeyboardInterrupt:
        say("Stopping …")
    finally:
        listening.close()


@contextmanager
def prepared(settings: Settings, *, csv: Path | None, demo: bool) -> Iterator[str]:
    """The gateway's address of a database that is up, migrated and filled, for the time of the context; a line a step.

    On the embedded server the gateway is a role of its own, which can change no table; else it is that of DATABASE_URL.
    """
    console = screen(error=True)
    say = _saying(console)
    if settings.database_url is None:
        say(f"Starting PostgreSQL in {settings.state} …")
    with database_of(settings, keep=say) as url:
        if migrate(url, settings):
            say("Made the tables.")
        _fill(url, settings, csv, console, demo=demo)
        advance_numbers(url, settings)
        if settings.graphiql:
            _install_page(settings, say)
        if settings.database_url is None:
            grant(url, settings, GATEWAY_ROLE)
            yield as_role(url, GATEWAY_ROLE)
        else:
            yield url


def saying() -> Callable[[str], None]:
    """What says a line to the person at the terminal."""
    return _saying(screen(error=True))


def _saying(console: Console) -> Callable[[str], None]:
    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    return say


def _install_page(settings: Settings, say: Callable[[str], None]) -> None:
    folder = settings.state / "graphiql"
    if read(folder) is None:
        try:
            say(install(folder).sentence)
        except IntegrityMismatchError as error:
            say(f"GraphiQL's files are not installed, the page will load them from the CDN: {error}")


def _fill(url: str, settings: Settings, csv: Path | None, console: Console, *, demo: bool) -> None:
    say = _saying(console)
    last = asyncio.run(_last_load(url))
    if csv is not None:
        if last not in {None, csv.resolve().name}:
            raise OperatorError(
                f"The database holds another catalogue, loaded from {last!r}: name another folder with --state, "
                "or load these files into it with python -m etl load."
            )
        with watching(console) as watcher:
            report = load_folder(url, csv, settings, watcher=watcher)
        if report.loaded_before:
            say(f"{csv} was loaded before.")
        else:
            show(report, console)
    elif last is None and demo and not asyncio.run(_has_products(url)):
        say(f"Making a demo catalogue: {DEMO_PRODUCTS:,} products, one with {DEMO_HOT:,} reviews …")
        settings.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=settings.state, prefix="demo-") as place:
            folder = Path(place) / "demo"
            generate_folder(folder, products=DEMO_PRODUCTS, seed=DEMO_SEED, hot=DEMO_HOT)
            with watching(console) as watcher:
                report = load_folder(url, folder, settings, watcher=watcher)
        show(report, console)


async def _last_load(url: str) -> str | None:
    return await _value(url, "SELECT source FROM loads ORDER BY load_id DESC LIMIT 1")


async def _has_products(url: str) -> bool:
    return await _value(url, "SELECT '1' FROM products LIMIT 1") is not None


async def _value(url: str, statement: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        value: str | None = await connection.fetchval(statement)
    finally:
        await connection.close()
    return value


def _welcome(address: str) -> str:
    query = '{"query": "{ product(id: 1) { name ratingSummary { average count } } }"}'
    return (
        f"\nGraphiQL: {address}/graphql   (Ctrl-C stops everything)\n\n"
        f"curl {address}/graphql -H 'Content-Type: application/json' -d '{query}'\n"
    )
