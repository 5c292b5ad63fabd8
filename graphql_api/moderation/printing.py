"""What was found and done, as JSON for machines and as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from graphql_api.moderation.deciding import Outcome
from graphql_api.schema import identity

_PLAIN_WIDTH = 10_000
_HASH_SHOWN, _TEXT_SHOWN, _REVIEWS_SHOWN = 16, 60, 50
_HASHES = frozenset({"hash", "voter", "client"})


def print_rows(rows: Sequence[dict[str, Any]], *, as_json: bool, none: str) -> None:
    """``rows``, or the sentence ``none`` where there are none."""
    named = [_named(row) for row in rows]
    if as_json:
        _print_json(named)
    elif named:
        _print_table(named)
    else:
        click.echo(none)


def print_story(review: dict[str, Any], *, as_json: bool) -> None:
    """A review, then its reports, its votes and what was decided of it."""
    parts = {name: [_named(row) for row in review.pop(name)] for name in ("reported", "voted", "moderated")}
    told = _named(review)
    if as_json:
        _print_json({**told, **parts})
        return
    for name, value in told.items():
        click.echo(f"{name:16} {_shown(name, value)}")
    for name, rows in parts.items():
        click.echo(f"\n{name}: {len(rows) or 'never'}")
        if rows:
            _print_table(rows)


def print_outcome(outcome: Outcome, *, as_json: bool, dry_run: bool) -> None:
    """What was done, a row a review of the first 50 for people, all of them for machines."""
    rows = [_named(one._asdict()) for one in outcome.done]
    number = None if dry_run else outcome.number
    if as_json:
        _print_json({"number": number, "action": outcome.action, "dry_run": dry_run, "reviews": rows})
        return
    if rows:
        _print_table(rows[:_REVIEWS_SHOWN])
    hid = sum(one.hidden and not one.was_hidden for one in outcome.done)
    shown = sum(one.was_hidden and not one.hidden for one in outcome.done)
    counted = sum(one.counted for one in outcome.done)
    words = (
        f"{outcome.action}: {len(rows):,} reviews, {counted:,} votes or reports, {hid:,} hidden, {shown:,} shown again."
    )
    click.echo(f"{words} Nothing was changed." if dry_run or not rows else f"{words} It is number {number} of the log.")


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """``row`` with its review's global id in front."""
    if "review_id" not in row:
        return row
    return {"id": identity.encode("Review", row["product_id"], row["review_id"]), **row}


def _print_json(value: Any) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    click.echo(orjson.dumps(value, option=options).decode(), nl=False)


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    screen = Console(highlight=False, markup=False, emoji=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, markup=False, emoji=False, width=_PLAIN_WIDTH)
    table = Table(box=box.SIMPLE_HEAD if screen.is_terminal else None, pad_edge=False)
    for name, value in rows[0].items():
        right = isinstance(value, int) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(name, value) for name, value in row.items()))
    screen.print(table)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = str(value)
    if name in _HASHES:
        return text[:_HASH_SHOWN]
    # What shoppers wrote must not speak to the terminal.
    plain = "".join(sign if sign.isprintable() else "�" for sign in text)
    return plain if len(plain) <= _TEXT_SHOWN or name == "body" else f"{plain[: _TEXT_SHOWN - 1]}…"
