"""The console script ``reviews``."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from graphql_api.db.location import running_embedded, url_at_hand
from graphql_api.errors import OperatorError
from graphql_api.serving import listening_socket, serve
from graphql_api.settings import Settings
from graphql_api.telemetry import configure_logging

USAGE, INTERRUPTED = 2, 130


class Commands(click.Group):
    """Turns what the person at the terminal can put right into one sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            click.echo(f"reviews: {error}", err=True)
            ctx.exit(USAGE)


def _settings(**flags: object) -> Settings:
    """The environment's settings, with the flags that were given on top, and its log lines going where they should."""
    given = {name: value for name, value in flags.items() if value is not None}
    settings = dataclasses.replace(Settings.from_environment(os.environ), **given)  # type: ignore[arg-type] # by click
    configure_logging(settings.log_level, settings.log_format)
    return settings


@contextmanager
def _needing_etl(command: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise OperatorError(f"{command} needs the package {error.name}: install reviews-gateway[etl].") from error


class Moderation(click.Group):
    """The commands of ``reviews moderate``, imported when they are asked for: no other command needs the schema."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return self._imported().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        return self._imported().get_command(ctx, cmd_name)

    def _imported(self) -> click.Group:
        from graphql_api.moderation.command import moderate  # noqa: PLC0415 - half a second

        return moderate


_port = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [REVIEWS_PORT, else 8000]")
_host = click.option("--host", help="Address to listen on.  [REVIEWS_HOST, else 127.0.0.1]")
_workers = click.option("--workers", type=click.IntRange(1, 256), help="Gateway processes.  [REVIEWS_WORKERS, else 1]")
_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded database.  [REVIEWS_STATE, else .local]",
)

_csv = click.option(
    "--csv",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Load the CSV files of this folder, once, instead of the demo catalogue.",
)
_demo = click.option("--demo/--no-demo", default=True, help="Whether an empty database gets the demo catalogue.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A GraphQL gateway for a shop's reviews."""


@main.command()
@_port
@_host
@_workers
@_state
@_csv
@_demo
def up(
    port: int | None,
    host: str | None,
    workers: int | None,
    state: Path | None,
    csv: Path | None,
    demo: bool,  # noqa: FBT001 - click gives it by name
) -> None:
    """Bring everything up: database, tables, data, gateway. Ctrl-C stops it all."""
    with _needing_etl("reviews up"):
        from graphql_api.up import up as bring_up  # noqa: PLC0415 - the other commands need no ETL
    bring_up(_settings(port=port, host=host, workers=workers, state=state), csv=csv, demo=demo)


@main.command()
@click.option(
    "--replicas", type=click.IntRange(1, 64), default=3, show_default=True, help="Gateway processes behind the edge."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port of the edge.")
@_host
@_state
@_csv
@_demo
def cluster(
    replicas: int,
    port: int,
    host: str | None,
    state: Path | None,
    csv: Path | None,
    demo: bool,  # noqa: FBT001 - click gives it by name
) -> None:
    """Bring up database, data, replicas and the edge before them. Ctrl-C stops it all."""
    with _needing_etl("reviews cluster"):
        from graphql_api.cluster import run  # noqa: PLC0415 - the other commands need no ETL
    run(_settings(port=port, host=host, state=state), replicas=replicas, csv=csv, demo=demo)


@main.command("serve")
@_port
@_host
@_workers
def serve_command(port: int | None, host: str | None, workers: int | None) -> None:
    """Run the gateway alone, on the database of DATABASE_URL."""
    settings = _settings(port=port, host=host, workers=workers)
    if settings.database_url is None:
        raise OperatorError("DATABASE_URL is not set: name a PostgreSQL 15 or newer, or run reviews up.")
    listening = listening_socket(settings.host, settings.port)
    serve(listening, settings, ready=lambda address: click.echo(f"Serving {address}/graphql", err=True))


@main.command()
def schema() -> None:
    """Print the schema in GraphQL's schema definition language."""
    from graphql_api.schema.build import build_schema  # noqa: PLC0415 - building it takes half a second

    click.echo(build_schema().as_str())


@main.group()
def documents() -> None:
    """The documents of front ends: those of graphql_api/documents and of REVIEWS_MANIFESTS."""


@documents.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
def check(paths: tuple[Path, ...]) -> None:
    """Check manifests, folders and files against the schema; without PATHS all that the gateway trusts."""
    from graphql_api.documents import command  # noqa: PLC0415 - the schema takes half a second

    command.check(_settings(), paths)


@documents.command("list")
def list_documents() -> None:
    """List the documents that the gateway trusts, with what each may cost."""
    from graphql_api.documents import command  # noqa: PLC0415 - the same

    command.show(_settings())


@documents.command()
@click.option("--format", "form", type=click.Choice(["apollo", "relay"]), default="apollo", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else the terminal.")
def manifest(form: str, output: Path | None) -> None:
    """Print the trusted documents as a manifest for clients."""
    from graphql_api.documents import command  # noqa: PLC0415 - the same

    content = command.manifest(_settings(), form)
    if output is None:
        click.echo(content.decode(), nl=False)
    else:
        output.write_bytes(content)
        click.echo(f"Wrote {output}.", err=True)


@main.command()
@click.argument("document")
@click.option("--variables", default="{}", help="The operation's variables, as JSON.")
@click.option("--operation", metavar="NAME", help="Which operation of the document, where it has several.")
@click.option("--analyze", is_flag=True, help="Let PostgreSQL run each statement again and count its rows and buffers.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of text.")
@_state
def explain(state: Path | None, **asked: Any) -> None:
    """Say what an operation costs and how it is run, run it once, and show its statements as PostgreSQL plans them.

    DOCUMENT is a file, a hash or an id that the gateway knows, or - for standard input. A mutation is not run.
    """
    from graphql_api.explaining import command  # noqa: PLC0415 - the schema takes half a second

    settings = _settings(state=state)
    command.show(url_at_hand(settings), settings, **asked)


@main.command()
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@_state
def invalidate(tags: tuple[str, ...], state: Path | None) -> None:
    """Let every edge forget answers: all, catalog, product:<number> or review:<number>.

    A release whose answers differ ends with: reviews invalidate all.
    """
    from graphql_api.changes import command  # noqa: PLC0415 - the other commands need no driver

    settings = _settings(state=state)
    command.invalidate(url_at_hand(settings), settings, tags)
    click.echo(f"Recorded: every edge forgets {', '.join(sorted(set(tags)))} within a tenth of a second.", err=True)


@main.group(cls=Moderation)
def moderate() -> None:
    """See votes and reports, hide and restore reviews, undo what was abused."""


@main.group()
def db() -> None:
    """The database: the embedded one's address, the gateway's rights."""


@db.command()
@_state
def url(state: Path | None) -> None:
    """Print the address of the embedded database, for psql. It answers while reviews up runs."""
    click.echo(running_embedded(_settings(state=state)).url)


@db.command("grant")
@click.argument("role")
@click.option("--password-env", metavar="NAME", help="Variable of the environment that holds the role's new password.")
@_state
def grant_command(role: str, password_env: str | None, state: Path | None) -> None:
    """Give ROLE what the gateway needs and take everything else from it; a role that is not there is made.

    Run as the tables' owner after each migration. Nobody but the database's owner may make tables in it then.
    """
    from graphql_api.db.granting import grant  # noqa: PLC0415 - the other commands need no driver

    password = None
    if password_env is not None:
        password = os.environ.get(password_env)
        if not password:
            raise OperatorError(f"{password_env} is not set: it is to hold the password of {role}.")
    settings = _settings(state=state)
    made = grant(url_at_hand(settings), settings, role, password)
    click.echo(f"{'Made' if made else 'Found'} {role}; it has what the gateway needs.", err=True)


if __name__ == "__main__":
    sys.exit(main())
