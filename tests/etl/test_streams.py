"""Compressed files: read as plain ones are, and refused whole where they are damaged."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.report import Report
from etl.streams import created, expected_rows, opened
from graphql_api.errors import OperatorError
from tests.etl.folders import HEADERS, write_folder
from tests.harness.databases import value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS = {".gz": gzip.compress, ".zst": zstd.compress}


def compressed(folder: Path, form: str, shorten: int = 0) -> Path:
    """The small folder with every file compressed, and the last ``shorten`` bytes of the reviews cut off."""
    write_folder(folder)
    for name in HEADERS:
        plain = folder / name
        content = COMPRESS[form](plain.read_bytes())
        plain.unlink()
        (folder / (name + form)).write_bytes(content[: len(content) - (shorten if name == "reviews.csv" else 0)])
    return folder


@pytest.mark.parametrize("form", COMPRESS)
def test_compressed_files_are_loaded_like_plain_ones(loading: Callable[..., Report], tmp_path: Path, form: str) -> None:
    report = loading(folder=compressed(tmp_path / "small", form))
    assert [(file.file, file.loaded, file.refused) for file in report.files] == [
        (f"product.csv{form}", 2, 0),
        (f"characteristics.csv{form}", 3, 0),
        (f"reviews.csv{form}", 3, 0),
        (f"reviews_photos.csv{form}", 2, 0),
        (f"characteristic_reviews.csv{form}", 5, 0),
    ]


@pytest.mark.parametrize("shorten", [1, 9, 60])
@pytest.mark.parametrize("form", COMPRESS)
def test_a_file_that_was_cut_off_is_named_and_nothing_is_loaded(
    loading: Callable[..., Report], database: str, tmp_path: Path, form: str, shorten: int
) -> None:
    with pytest.raises(OperatorError, match=rf"reviews\.csv\{form} is damaged or was cut off .* nothing was changed"):
        loading(folder=compressed(tmp_path / "small", form, shorten))
    assert value(database, "SELECT count(*) FROM products") == 0


@pytest.mark.parametrize("form", COMPRESS)
def test_a_file_that_is_not_what_its_name_says_is_named(
    loading: Callable[..., Report], tmp_path: Path, form: str
) -> None:
    folder = write_folder(tmp_path / "small")
    (folder / "reviews.csv").rename(folder / f"reviews.csv{form}")
    with pytest.raises(OperatorError, match=rf"reviews\.csv\{form} is damaged"):
        loading(folder=folder)


def test_two_forms_of_one_file_are_one_too_many(loading: Callable[..., Report], tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "small")
    (folder / "reviews.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(OperatorError, match=r"holds both reviews\.csv and reviews\.csv\.gz"):
        loading(folder=folder)


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.csv.gz", "reviews.csv.zst"])
def test_what_is_created_is_what_is_opened_and_has_the_same_bytes_every_time(tmp_path: Path, name: str) -> None:
    made = []
    for folder in ("one", "two"):
        path = tmp_path / folder / name
        path.parent.mkdir()
        with created(path) as stream:
            stream.write(b"id,url\n" * 1000)
        made.append(path.read_bytes())

    with opened(path) as (content, _):
        assert content.read() == b"id,url\n" * 1000
    assert made[0] == made[1]


@pytest.mark.parametrize("file", ["product.csv", "reviews.csv", "characteristic_reviews.csv"])
def test_a_file_that_fails_while_it_is_read_is_named_and_nothing_is_loaded(
    loading: Callable[..., Report], database: str, tmp_path: Path, file: str
) -> None:
    folder = write_folder(tmp_path / "small")
    (folder / file).unlink()
    (folder / file).symlink_to("/proc/self/mem")  # opens, and fails at its first byte as a broken disk does

    with pytest.raises(OperatorError, match=rf"{file} cannot be read: Input/output error; nothing was changed\."):
        loading(folder=folder)
    assert value(database, "SELECT count(*) FROM products") == 0


def test_a_file_that_fails_or_goes_before_it_is_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").symlink_to("/proc/self/mem")
    for name, reason in (("reviews.csv", "Input/output error"), ("gone.csv.gz", "No such file or directory")):
        with (
            pytest.raises(OperatorError, match=rf"{name} cannot be read: {reason}; nothing was changed\."),
            opened(tmp_path / name) as (stream, _),
        ):
            stream.read(1)


@pytest.mark.parametrize(("form", "least", "most"), [("", 1, 1.03), (".gz", 0.95, 1.5), (".zst", 0.95, 1.5)])
def test_about_as_many_rows_are_expected_as_there_are(tmp_path: Path, form: str, least: float, most: float) -> None:
    path = tmp_path / f"reviews.csv{form}"
    with created(path) as stream:
        stream.write(b"id,body\n" + b"".join(b'%d,"one\ntwo\n%d"\n' % (row, row * 7) for row in range(1, 300_001)))

    assert 300_000 * least <= expected_rows(path) <= 300_000 * most
