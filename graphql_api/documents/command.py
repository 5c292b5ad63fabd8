"""``reviews documents``: for people who ship a front end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson
from graphql import OperationDefinitionNode

from graphql_api.documents.manifests import apollo_manifest
from graphql_api.documents.trusted import BrokenDocumentError, Trusted, files_of, trusted_in
from graphql_api.errors import OperatorError
from graphql_api.execution.document import Documents
from graphql_api.schema.build import build_schema
from graphql_api.settings import Settings


def check(settings: Settings, paths: Sequence[Path]) -> None:
    """Say of each document of ``paths``, or of all trusted ones, what is wrong with it.

    Raises ``OperatorError`` where something is.
    """
    good, broken = 0, 0
    for found in trusted_in(paths or list(files_of(settings)), _documents(settings), settings.max_cost):
        if isinstance(found, BrokenDocumentError):
            broken += 1
            click.echo(str(found))
        else:
            good += 1
    if broken:
        raise OperatorError(f"{broken} of {good + broken} documents cannot be run: the lines above say why.")
    click.echo(f"{good} documents are right.")


def show(settings: Settings) -> None:
    """A line a trusted document: its operations, the most objects that one can answer, its file and its id."""
    rows = [("operations", "objects", "file", "id")]
    for trusted in _trusted(settings):
        names = " ".join(operation.name.value if operation.name else "(unnamed)" for operation in _operations(trusted))
        id_ = trusted.shipped.id or trusted.document.sha256
        rows.append((names, f"{trusted.cost:,}", trusted.shipped.file.name, id_))
    names_width, cost_width, file_width, _ = (max(len(row[place]) for row in rows) for place in range(4))
    for names, cost, file, id_ in rows:
        click.echo(f"{names:<{names_width}}  {cost:>{cost_width}}  {file:<{file_width}}  {id_}")


def manifest(settings: Settings, form: str) -> bytes:
    """The trusted documents as Apollo's manifest or as Relay's map, by hash."""
    found = {trusted.document.sha256: trusted for trusted in _trusted(settings)}
    texts = {id_: trusted.document.text for id_, trusted in found.items()}
    content: dict[str, Any] = texts
    if form == "apollo":
        first = {id_: next(iter(_operations(trusted))) for id_, trusted in found.items()}
        content = apollo_manifest(
            texts, {id_: (one.name.value if one.name else "", one.operation.value) for id_, one in first.items()}
        )
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _documents(settings: Settings) -> Documents:
    settings = dataclasses.replace(settings, introspection=True)
    return Documents(build_schema(), settings)


def _trusted(settings: Settings) -> list[Trusted]:
    found = []
    for one in trusted_in(files_of(settings), _documents(settings), settings.max_cost):
        if isinstance(one, BrokenDocumentError):
            raise one
        found.append(one)
    return found


def _operations(trusted: Trusted) -> list[OperationDefinitionNode]:
    return list(trusted.document.operations.values())
