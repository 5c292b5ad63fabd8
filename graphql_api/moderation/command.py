"""``reviews moderate``: what operators see of votes and reports, and how they decide and undo."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import pool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.engine import check_revision, check_server, connect_for_checks, create_engine, root_of, shown
from graphql_api.db.location import url_at_hand
from graphql_api.errors import OperatorError
from graphql_api.moderation import deciding, printing, reading, undoing
from graphql_api.moderation.wanted import review_of, wanted_of
from graphql_api.mutations.reports import HIDE, RESTORE
from graphql_api.settings import Settings

Result = TypeVar("Result")
Command = Callable[..., Any]


def _options(*options: Command) -> Command:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded database.  [REVIEWS_STATE, else .local]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_limit = click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Most rows.")
_where = _options(
    click.option("--review", multiple=True, metavar="ID", help="Of this review: its number or global id; repeatable."),
    click.option("--product", metavar="ID", help="Of reviews of this product."),
    click.option("--since", metavar="TIME", help="Since then: 2026-11-26T10:00 (UTC), or 30m, 2h, 7d ago."),
    click.option("--until", metavar="TIME", help="Before then."),
)
_whom = _options(
    click.option("--voter", metavar="MARK", help="By the voter of this mark, as the client sends it."),
    click.option("--client", metavar="ADDRESS", help="By the client of this address."),
    click.option(
        "--hash", "mark", metavar="HEX", help="By the voter or client whose hash begins so, 8 digits or more."
    ),
)
_doing = _options(
    click.option("--by", metavar="NAME", help="Who does it, for the log.  [the system user]"),
    click.option("--note", metavar="TEXT", help="Why, for the log."),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing."),
)


@click.group()
def moderate() -> None:
    """See votes and reports, hide and restore reviews, undo what was abused."""


@moderate.command("list")
@_options(_where, _whom, _limit, _json, _state)
@click.option("--hidden", is_flag=True, help="Only reviews that are hidden now.")
def list_reviews(state: Path | None, *, as_json: bool, limit: int, hidden: bool, **wanted: Any) -> None:
    """List reviews that were reported or decided of, the last one first."""
    settings = _settings(state)
    chosen = wanted_of(settings, **wanted)
    rows = _run(settings, lambda connection: reading.listed(connection, chosen, hidden=hidden, limit=limit))
    printing.print_rows(rows, as_json=as_json, none="No review was reported or decided of.")


@moderate.command()
@click.argument("review", metavar="REVIEW")
@_options(_json, _state)
def show(review: str, state: Path | None, *, as_json: bool) -> None:
    """Show a review with its reports, its votes and what was decided of it."""
    numbers = review_of(review)
    found = _run(_settings(state), lambda connection: reading.story(connection, numbers))
    printing.print_story(found, as_json=as_json)


@moderate.command()
@_options(_where, _whom, _limit, _json, _state)
def who(state: Path | None, *, as_json: bool, limit: int, **wanted: Any) -> None:
    """List voters and clients by their hashes, those that voted and reported most first."""
    settings = _settings(state)
    chosen = wanted_of(settings, **wanted)
    rows = _run(settings, lambda connection: reading.who(connection, chosen, limit=limit))
    printing.print_rows(rows, as_json=as_json, none="Nobody with a mark or an address that is kept did anything.")


@moderate.command()
@_options(_where, _limit, _json, _state)
def log(state: Path | None, *, as_json: bool, limit: int, **wanted: Any) -> None:
    """List what operators did, the last first."""
    settings = _settings(state)
    chosen = wanted_of(settings, **wanted)
    rows = _run(settings, lambda connection: reading.log(connection, chosen, limit=limit))
    printing.print_rows(rows, as_json=as_json, none="Nothing was done.")


@moderate.command()
@click.argument("review", nargs=-1, required=True, metavar="REVIEW...")
@_options(_doing, _json, _state)
def hide(review: tuple[str, ...], **how: Any) -> None:
    """Hide reviews, whatever is reported or undone and whatever a later export says."""
    _decide(HIDE, review, **how)


@moderate.command()
@click.argument("review", nargs=-1, required=True, metavar="REVIEW...")
@_options(_doing, _json, _state)
def restore(review: tuple[str, ...], **how: Any) -> None:
    """Show reviews again, whatever is reported from now on and whatever a later export says."""
    _decide(RESTORE, review, **how)


@moderate.command("undo-votes")
@_options(_where, _whom, _doing, _json, _state)
def undo_votes(**given: Any) -> None:
    """Take votes out of the count."""
    _undo(undoing.UNDO_VOTES, **given)


@moderate.command("undo-reports")
@_options(_where, _whom, _doing, _json, _state)
def undo_reports(**given: Any) -> None:
    """Take reports out of the count; what they alone have hidden is shown again."""
    _undo(undoing.UNDO_REPORTS, **given)


@moderate.command()
@click.argument("number", type=click.IntRange(1))
@_options(_doing, _json, _state)
def redo(number: int, state: Path | None, by: str | None, note: str | None, *, as_json: bool, dry_run: bool) -> None:
    """Count again what the undo of that NUMBER in the log took out."""
    settings, who_does = _settings(state), _by(by, note)
    enough = settings.reports_to_hide
    outcome = _run(settings, lambda connection: undoing.redo(connection, number, who_does, enough), keep=not dry_run)
    printing.print_outcome(outcome, as_json=as_json, dry_run=dry_run)


def _decide(
    action: str,
    review: tuple[str, ...],
    state: Path | None,
    by: str | None,
    note: str | None,
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    reviews, who_does = [review_of(one) for one in review], _by(by, note)
    outcome = _run(
        _settings(state), lambda connection: deciding.decide(connection, action, reviews, who_does), keep=not dry_run
    )
    printing.print_outcome(outcome, as_json=as_json, dry_run=dry_run)


def _undo(
    action: str, state: Path | None, by: str | None, note: str | None, *, as_json: bool, dry_run: bool, **wanted: Any
) -> None:
    if not any(wanted.values()):
        raise OperatorError("That would be all there are: say which, with --review, --hash, --since or another option.")
    settings, who_does = _settings(state), _by(by, note)
    chosen, enough = wanted_of(settings, **wanted), settings.reports_to_hide
    outcome = _run(
        settings, lambda connection: undoing.undo(connection, action, chosen, who_does, enough), keep=not dry_run
    )
    printing.print_outcome(outcome, as_json=as_json, dry_run=dry_run)


def _settings(state: Path | None) -> Settings:
    given = {} if state is None else {"REVIEWS_STATE": str(state)}
    return Settings.from_environment({**os.environ, **given})


def _by(name: str | None, note: str | None) -> deciding.By:
    if name is None:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a container's user may have no name
            name = f"uid {os.getuid()}"
    return deciding.By(name, note)


def _run(settings: Settings, work: Callable[[AsyncConnection], Awaitable[Result]], *, keep: bool = True) -> Result:
    """What ``work`` gives, in one transaction, which is taken back unless it is to ``keep`` what it wrote."""
    url = url_at_hand(settings)
    try:
        return asyncio.run(_within_transaction(url, settings, work, keep=keep))
    except DBAPIError as error:
        raise OperatorError(f"The database {shown(url)} refuses it: {root_of(error).args[0]}") from error


async def _within_transaction(
    url: str, settings: Settings, work: Callable[[AsyncConnection], Awaitable[Result]], *, keep: bool
) -> Result:
    await check_server(url, settings)
    checks = await connect_for_checks(url, settings)
    try:
        await check_revision(checks)
    finally:
        await checks.close()
    # Statements may take as long as they need: an undo may be over very many rows.
    engine = create_engine(
        url, unnamed=settings.pgbouncer, poolclass=pool.NullPool, connect={"timeout": settings.connect_timeout_s}
    )
    try:
        async with engine.connect() as connection:
            result = await work(connection)
            await (connection.commit() if keep else connection.rollback())
            return result
    finally:
        await engine.dispose()
