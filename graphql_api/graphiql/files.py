"""GraphiQL's files for a browser: from which npm packages they are, what they must contain, and how they are read.

The CDN serves npm packages as they are, so one integrity value holds for the local copy and for the CDN's.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CDN = "https://cdn.jsdelivr.net/npm"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of an npm package. ``path`` is its place in it, ``integrity`` its SHA-384 as browsers write it."""

    package: str
    version: str
    path: str
    integrity: str

    @property
    def name(self) -> str:
        """The file's name in the folder and on the server. It carries the version, so browsers may keep it for good."""
        stem, _, suffixes = PurePosixPath(self.path).name.partition(".")
        return f"{stem}-{self.version}.{suffixes}"

    @property
    def media_type(self) -> str:
        return "text/css" if self.path.endswith(".css") else "text/javascript"

    @property
    def cdn_url(self) -> str:
        return f"{_CDN}/{self.package}@{self.version}/{self.path}"


# In the order in which a page loads them. GraphiQL 4 is the last release with a file that needs no bundler, and so is
# React 18.
ASSETS = (
    Asset(
        "graphiql",
        "4.1.2",
        "graphiql.min.css",
        "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
    ),
    Asset(
        "react",
        "18.3.1",
        "umd/react.production.min.js",
        "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    Asset(
        "react-dom",
        "18.3.1",
        "umd/react-dom.production.min.js",
        "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    Asset(
        "graphiql",
        "4.1.2",
        "graphiql.min.js",
        "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    ),
)


def integrity_of(content: bytes) -> str:
    """The SHA-384 of the content, in the form of an ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode("ascii")


def read(folder: Path, assets: Sequence[Asset] = ASSETS) -> dict[str, bytes] | None:
    """The files by name, or None unless every one of them lies in the folder and is intact."""
    contents: dict[str, bytes] = {}
    for asset in assets:
        try:
            content = (folder / asset.name).read_bytes()
        except OSError:
            return None
        if integrity_of(content) != asset.integrity:
            return None
        contents[asset.name] = content
    return contents
