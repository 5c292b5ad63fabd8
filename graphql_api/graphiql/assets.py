"""Fetches GraphiQL's files with npm into a folder: ``python -m graphql_api.graphiql.assets DIR``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graphql_api.errors import OperatorError
from graphql_api.graphiql.files import ASSETS, Asset, integrity_of, read

if TYPE_CHECKING:
    from collections.abc import Sequence

_NPM_SECONDS = 120
# npm's own minutes of retries would hold up a first run on a machine without a network.
_NPM_PACK = (
    "pack",
    "--ignore-scripts",
    "--prefer-offline",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=500",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What ``install`` came to: whether every file is in the folder, and one sentence about it."""

    complete: bool
    sentence: str


class IntegrityMismatchError(OperatorError):
    """A fetched file is not the one the table names."""

    def __init__(self, asset: Asset, found: str) -> None:
        super().__init__(
            f"{asset.path} of {asset.package}@{asset.version} has the integrity {found} where {asset.integrity} "
            "was expected; nothing was installed."
        )
        self.asset = asset
        self.found = found


class _FetchError(OperatorError):
    """npm could not bring the packages. The text completes "… are not installed, because"."""


def install(folder: Path, assets: Sequence[Asset] = ASSETS) -> Installation:
    """Fetch the files with npm and put them into the folder, unless they are there. A file of another content raises
    ``IntegrityMismatchError``; npm missing or failing does not raise, because the page then uses the CDN."""
    if read(folder, assets) is not None:
        return Installation(complete=True, sentence=f"GraphiQL's files are already in {folder}.")
    try:
        contents = _fetch(assets)
        _place(folder, contents)
    except (_FetchError, OSError) as error:
        sentence = f"GraphiQL's files are not installed, because {error}: the page will load them from the CDN."
        return Installation(complete=False, sentence=sentence)
    return Installation(complete=True, sentence=f"GraphiQL's files were installed in {folder}.")


def _fetch(assets: Sequence[Asset]) -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise _FetchError("npm is missing")
    packages = dict.fromkeys(f"{asset.package}@{asset.version}" for asset in assets)
    with tempfile.TemporaryDirectory(prefix="graphiql-") as scratch:
        try:
            done = subprocess.run(  # noqa: S603 - npm alone, and the arguments are the table's
                [npm, *_NPM_PACK, *packages],
                cwd=scratch,
                capture_output=True,
                text=True,
                timeout=_NPM_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _FetchError(f"npm took more than {_NPM_SECONDS} seconds") from None
        if done.returncode != 0:
            first_line = done.stderr.strip().partition("\n")[0]
            raise _FetchError(f'npm failed with "{first_line}"')
        return {asset.name: _unpack(Path(scratch), asset) for asset in assets}


def _unpack(folder: Path, asset: Asset) -> bytes:
    with tarfile.open(folder / f"{asset.package}-{asset.version}.tgz") as archive:
        member = archive.extractfile(f"package/{asset.path}")
        content = member.read() if member else b""
    found = integrity_of(content)
    if found != asset.integrity:
        raise IntegrityMismatchError(asset, found)
    return content


def _place(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=folder) as scratch:
        for name, content in contents.items():
            whole = Path(scratch, name)
            whole.write_bytes(content)
            whole.replace(folder / name)


def main(arguments: Sequence[str], assets: Sequence[Asset] = ASSETS) -> int:
    """Print one line about what happened. 0, with or without npm; 1 for a file of another content; 2 for wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m graphql_api.graphiql.assets DIR\n")
        return 2
    try:
        sys.stdout.write(install(Path(arguments[0]), assets).sentence + "\n")
    except IntegrityMismatchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
