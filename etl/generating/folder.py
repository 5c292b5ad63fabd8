"""The CSV files of a made-up shop: the same arguments, the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from etl.folder import FILE_NAMES
from etl.generating.dialects import COLUMNS, V2, Dialect
from etl.generating.dirt import Salter
from etl.generating.dirt_answer import ANSWERS
from etl.generating.shop import Block, Shelf, Shop
from etl.streams import COMPRESSED
from graphql_api.errors import OperatorError

_BUFFER_BYTES = 1 << 20


class DirtyFolder(NamedTuple):
    """What was made of a folder with dirt."""

    rows: dict[str, int]
    """How many rows each file has."""
    rejected: int
    """How many of all rows a loader must reject."""


def generate_folder(folder: Path, *, products: int, seed: int, hot: int = 0, dialect: Dialect = V2) -> dict[str, int]:
    """Write the files of ``dialect`` to ``folder``, made if need be; the answer is each file's number of rows.

    Product 1 has exactly ``hot`` reviews more. Files of the same names are replaced. Raises ``OperatorError``, with
    nothing changed, where the folder holds other files of an export, and where the files cannot be written.
    """
    shop = Shop(seed, dialect)
    with _writing(folder, dialect.files.values()), ExitStack() as open_files:
        files: dict[str, TextIO] = {
            table: open_files.enter_context(
                (folder / name).open("w", encoding="utf-8", newline="\n", buffering=_BUFFER_BYTES)
            )
            for table, name in dialect.files.items()
        }
        for table, file in files.items():
            file.write(",".join(COLUMNS[table]) + "\n")
        _fill(_Files(files), shop, products, hot)
    counts = {
        "products": shop.products,
        "characteristics": shop.characteristics,
        "reviews": shop.reviews,
        "photos": shop.photos,
        "ratings": shop.ratings,
    }
    return {name: counts[table] for table, name in dialect.files.items()}


def generate_dirty_folder(
    folder: Path, *, products: int, seed: int, share: float, hot: int = 0, dialect: Dialect = V2
) -> DirtyFolder:
    """Write what ``generate_folder`` writes, with dirt in a ``share`` of the rows, above 0 and at most 1.

    Which rows a loader must reject is written to ``dirt.csv``, and what dirt there is to ``dirt.json``.
    """
    shop, salter = Shop(seed, dialect), Salter(folder, dialect, seed, share)
    with _writing(folder, [*salter.names, *ANSWERS]), salter:
        _fill(salter, shop, products, hot)
        rows = salter.write_answer({"products": products, "seed": seed, "hot": hot})
    return DirtyFolder(rows, salter.rejected)


def _fill(shelf: Shelf, shop: Shop, products: int, hot: int) -> None:
    shop.make_product(shelf, hot)
    for _ in range(products - 1):
        shop.make_product(shelf, 0)


class _Files:
    """Takes the rows as they are."""

    def __init__(self, files: dict[str, TextIO]) -> None:
        self._products = files.get("products")
        self._characteristics, self._reviews = files["characteristics"], files["reviews"]
        self._photos, self._ratings = files["photos"], files["ratings"]

    def put_product(self, _number: int, row: str, _first_characteristic: int, characteristics: list[str]) -> None:
        if self._products is not None:
            self._products.write(row)
        self._characteristics.write("".join(characteristics))

    def put_reviews(self, block: Block) -> None:
        self._reviews.write("".join(block.reviews))
        self._photos.write("".join(block.photos))
        self._ratings.write("".join(block.ratings))


@contextmanager
def _writing(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """Make ``folder`` ready for the files ``names`` to be written.

    Raises ``OperatorError`` where it holds others that would be taken for a part of the export. They are not removed:
    they may be of a real one, which nothing makes again.
    """
    mine = set(names)
    exports = [name + form for some in FILE_NAMES.values() for name in some for form in ("", *COMPRESSED)]
    try:
        others = [name for name in (*exports, *ANSWERS) if name not in mine and (folder / name).exists()]
        if others:
            raise OperatorError(
                f"{folder} holds {', '.join(others)}, which would be mixed up with the new files: "
                "remove that, or name another folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in ANSWERS:
            # So that none is left of other files where writing ends early.
            (folder / name).unlink(missing_ok=True)
        yield
    except OSError as error:
        raise OperatorError(f"The files cannot be written to {folder}: {error.strerror}.") from error
