"""The front end's documents, named by their hashes as its clients name them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from perf.load import hash_of

_FOLDER = Path(__file__).parents[2] / "graphql_api" / "documents"


@cache
def hash_of_document(name: str) -> str:
    """The hash of one of the front end's documents. Kept for good: there are six."""
    return hash_of((_FOLDER / f"{name}.graphql").read_text())


def path_of(name: str, variables: dict[str, Any], hashed: str | None = None) -> str:
    """The URL of an operation by its hash, without the server's address."""
    spelt = quote(json.dumps(variables, separators=(",", ":")), safe="")
    return f"/graphql/p/{hashed or hash_of_document(name)}/{name}?variables={spelt}"


def body_of(name: str, variables: dict[str, Any], hashed: str | None = None) -> dict[str, Any]:
    """The body of a POST that names an operation by its hash."""
    persisted = {"version": 1, "sha256Hash": hashed or hash_of_document(name)}
    return {"operationName": name, "variables": variables, "extensions": {"persistedQuery": persisted}}
