"""The five files of an export: where they are, and which export they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.streams import COMPRESSED, expected_rows, reading
from graphql_api.errors import OperatorError

FILE_NAMES: Mapping[str, tuple[str, ...]] = {
    "products": ("product.csv",),
    "characteristics": ("characteristics.csv",),
    "reviews": ("reviews.csv",),
    "photos": ("reviews_photos.csv",),
    "ratings": ("characteristic_reviews.csv", "characteristics_reviews.csv"),
}
"""Each table's file, parents before children; the second name of the last is that of the first generation.

Any of them may be compressed: ``reviews.csv.gz``, ``reviews.csv.zst``.
"""


@dataclass(frozen=True)
class Folder:
    """An export. ``files`` goes by table, in loading order; ``products`` is missing where ``product.csv`` is."""

    path: Path
    files: Mapping[str, Path]

    @property
    def name(self) -> str:
        """The folder's own name, also where it was given as ``.``."""
        return self.path.resolve().name

    def size(self, table: str) -> int:
        """The bytes of a table's file."""
        path = self.files[table]
        with reading(path):
            return path.stat().st_size

    def expected(self) -> dict[str, int]:
        """About how many rows each file has; of a compressed one rather more than it has."""
        return {table: expected_rows(path) for table, path in self.files.items()}

    def fingerprint(self) -> bytes:
        """SHA-256 over the files' names, sizes and contents."""
        digest = hashlib.sha256()
        for path in sorted(self.files.values()):
            with reading(path), path.open("rb") as stream:
                digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest.digest()


def find_folder(path: Path) -> Folder:
    """The export in ``path``. Raises ``OperatorError`` where a file that must be there is not, or cannot be read."""
    if not path.is_dir():
        raise OperatorError(f"{path} is not a folder: name the folder that holds the five CSV files.")
    files: dict[str, Path] = {}
    missing = []
    for table, names in FILE_NAMES.items():
        forms = [path / (name + form) for name in names for form in ("", *COMPRESSED)]
        found = [form for form in forms if form.is_file()]
        if len(found) > 1:
            both = " and ".join(form.name for form in found)
            raise OperatorError(f"{path} holds both {both}: keep the one that belongs to this export.")
        if found:
            files[table] = found[0]
        elif table != "products":
            missing.append(" or ".join(names))
    if missing:
        raise OperatorError(f"{path} has no {', no '.join(missing)}: the folder must hold the whole export.")
    for file in files.values():
        with reading(file):
            file.open("rb").close()
    return Folder(path, files)
