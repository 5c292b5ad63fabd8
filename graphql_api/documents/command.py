"""``reviews documents``: for people who ship a front end."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from graphql_api.documents.manifests import apollo_manifest
from graphql_api.documents.store import Store
from graphql_api.documents.trusted import BrokenDocumentError, Trusted, files_of, trusted_in
from graphql_api.errors import OperatorError
from graphql_api.execution.document import Documents
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings

_PLAIN_WIDTH = 10_000


def check(settings: Settings, paths: Sequence[Path]) -> None:
    """Say of each document of ``paths``, or of all trusted ones, what is wrong with it or what it may cost.

    Raises ``OperatorError`` where something is wrong.
    """
    good: list[Trusted] = []
    broken = 0
    documents = _documents(settings)
    for found in trusted_in(paths or list(files_of(settings)), documents, settings.max_cost):
        if isinstance(found, BrokenDocumentError):
            broken += 1
            for problem in found.problems:
                click.echo(problem)
        else:
            good.append(found)
    if good:
        _print(["operation", "objects", "document"], _costs(good))
    beyond = sum(cost > settings.max_cost for one in good for cost in one.costs.values())
    if beyond:
        click.echo(f"At full pages {beyond} of them can cost more than the {settings.max_cost:,} objects of an answer.")
    if broken:
        raise OperatorError(f"{broken} of {len(good) + broken} documents cannot be run: the lines above say why.")
    if paths:
        settings = dataclasses.replace(settings, manifests=os.pathsep.join(map(str, paths)))
    Store(documents, settings)  # raises where two documents have one id
    click.echo(f"{len(good)} of {len(good)} documents can be run.")


def _costs(good: Sequence[Trusted]) -> Iterator[list[str]]:
    for one in good:
        for name, cost in one.costs.items():
            yield [name or "(unnamed)", f"{cost:,}", one.shipped.name]


def show(settings: Settings) -> None:
    """A line a trusted document: its operations, the most objects that one can answer, its file, id and hash."""
    rows = []
    for one in _trusted(settings):
        names = " ".join(name or "(unnamed)" for name in one.costs)
        rows.append([names, f"{max(one.costs.values()):,}", one.shipped.name, one.document.sha256])
    _print(["operations", "objects", "document", "sha256"], rows)


def _print(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere plain columns, a line a row however long."""
    screen = Console(highlight=False, markup=False, emoji=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, markup=False, emoji=False, width=_PLAIN_WIDTH)
    listed = Table(box=box.SIMPLE_HEAD if screen.is_terminal else None, pad_edge=False)
    for heading in headings:
        listed.add_column(heading, justify="right" if heading == "objects" else "left", overflow="fold")
    for row in rows:
        listed.add_row(*row)
    screen.print(listed)


def manifest(settings: Settings, form: str) -> bytes:
    """The trusted documents as Apollo's manifest or as Relay's map, by hash."""
    found = {trusted.document.sha256: trusted for trusted in _trusted(settings)}
    texts = {id_: trusted.document.text for id_, trusted in found.items()}
    content: dict[str, Any] = texts
    if form == "apollo":
        first = {id_: next(iter(trusted.document.operations.values())) for id_, trusted in found.items()}
        content = apollo_manifest(
            texts, {id_: (one.name.value if one.name else "", one.operation.value) for id_, one in first.items()}
        )
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _documents(settings: Settings) -> Documents:
    return Documents(build_schema(suggestions=settings.introspection), settings)


def _trusted(settings: Settings) -> list[Trusted]:
    """What a gateway with these settings would trust. Raises ``OperatorError`` where it would not start."""
    return Store(_documents(settings), settings).trusted
