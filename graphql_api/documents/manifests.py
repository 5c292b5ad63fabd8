"""Files that a front end ships its documents in: Apollo's manifest, Relay's map, a folder of ``.graphql`` files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from graphql_api.errors import OperatorError

APOLLO = "apollo-persisted-query-manifest"


class Shipped(NamedTuple):
    """A document's text, the file that it is from, and what a manifest calls it."""

    file: Path
    text: str
    id: str | None = None

    @property
    def name(self) -> str:
        """The file, and the id where a manifest holds several documents: what stands before a line and a column."""
        return str(self.file) if self.id is None else f"{self.file}, {self.id}"


def shipped_in(path: Path) -> Iterator[Shipped]:
    """The documents of a manifest, a ``.graphql`` file or a folder of them.

    Raises ``OperatorError``, which names the file, for anything else.
    """
    if path.is_dir():
        files = sorted(path.rglob("*.graphql"))
        if not files:
            raise OperatorError(f"{path} holds no .graphql file.")
        for file in files:
            yield _document(file)
    elif path.suffix == ".graphql":
        yield _document(path)
    else:
        yield from _manifest(path, _content(path))


def _document(path: Path) -> Shipped:
    content = _content(path)
    try:
        # Byte by byte: a text whose line ends were changed would have another hash.
        return Shipped(path, content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{path}:{line}: this is not UTF-8.") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}.") from error


def _manifest(path: Path, content: bytes) -> Iterator[Shipped]:
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise OperatorError(f"{path}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}.") from error
    if isinstance(manifest, Mapping) and manifest.get("format") == APOLLO:
        if manifest.get("version") != 1:
            raise OperatorError(f"{path} is of version {manifest.get('version')!r}: only version 1 is known.")
        operations = manifest.get("operations")
        if not isinstance(operations, list):
            raise OperatorError(f"{path} has no list of `operations`.")
        for place, operation in enumerate(operations):
            yield _entry(path, f"operations[{place}]", operation, "id", "body")
    elif isinstance(manifest, Mapping):
        for id_, text in manifest.items():
            yield _entry(path, id_, {"id": id_, "text": text}, "id", "text")
    else:
        raise OperatorError(f"{path} is neither a manifest of Apollo's nor a map of Relay's.")


def _entry(path: Path, where: str, entry: Any, id_: str, text: str) -> Shipped:
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), str) for name in (id_, text)):
        raise OperatorError(f"{path}: {where} must have an id and a text, both strings.")
    if not entry[id_]:
        raise OperatorError(f"{path}: {where} has an empty id.")
    return Shipped(path, entry[text], entry[id_])


def apollo_manifest(documents: Mapping[str, str], operations: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Apollo's manifest of texts by id; ``operations`` are the name and the type of each by id."""
    return {
        "format": APOLLO,
        "version": 1,
        "operations": [
            {"id": id_, "body": text, "name": operations[id_][0], "type": operations[id_][1]}
            for id_, text in documents.items()
        ],
    }
