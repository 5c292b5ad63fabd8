"""What is to be explained: a document of a file, of standard input or of the store, one operation, its variables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError, OperationDefinitionNode

from graphql_api.db.engine import Database
from graphql_api.documents.store import Store
from graphql_api.documents.trusted import BrokenDocumentError, problems_of
from graphql_api.errors import OperatorError
from graphql_api.execution.answer import Answer
from graphql_api.execution.document import Document, Documents
from graphql_api.settings import Settings

STDIN = "-"


class Asked(NamedTuple):
    """``name`` is a file, a hash or an id of a manifest, or ``-``."""

    name: str
    operation: str | None
    variables: dict[str, Any]


def variables_of(text: str) -> dict[str, Any]:
    """The variables that ``text`` spells in JSON. Raises ``OperatorError`` for what is no object of names."""
    try:
        variables = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise OperatorError(f"--variables:{error.lineno}:{error.colno}: this is not JSON: {error.msg}.") from error
    if not isinstance(variables, dict):
        raise OperatorError('--variables must be an object of names and values, such as {"id": 2}.')
    return variables


async def document_of(name: str, documents: Documents, settings: Settings, database: Database) -> Document:
    """The document that ``name`` stands for. Raises ``OperatorError`` where there is none, or none that can be run."""
    text = _text(name)
    if text is None:
        found = await Store(documents, settings).find(name, database)
        if found is None:
            raise OperatorError(f"There is no file {name}, and no document of that hash or id is known.")
        return found
    made = documents.make(text)
    if isinstance(made, Answer):
        raise BrokenDocumentError(problems_of(_called(name), made))
    return made


def _called(name: str) -> str:
    return "standard input" if name == STDIN else name


def _text(name: str) -> str | None:
    """What the file ``name`` or standard input holds; ``None`` where there is no such file."""
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return content.decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperatorError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{_called(name)}:{line}: this is not UTF-8.") from error


def operation_of(document: Document, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one. Raises ``OperatorError`` where there is none, or there are more."""
    operation = document.operation(name)
    if not isinstance(operation, GraphQLError):
        return operation
    if not document.operations:
        raise OperatorError("The document has no operation.")
    wrong = "several operations" if name is None else f"no operation named {name}"
    names = ", ".join(one or "(unnamed)" for one in document.operations)
    raise OperatorError(f"The document has {wrong}: name one of its own with --operation: {names}.")
