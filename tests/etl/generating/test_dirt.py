"""Dirt that the generator makes: what it says must be rejected is what the loader rejects, and all else arrives."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from etl.cli import main
from etl.generating.dialects import V1, V2, Dialect
from etl.generating.folder import generate_dirty_folder, generate_folder
from etl.load import load_folder
from etl.report import Report
from etl.streams import opened
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings
from tests.harness.databases import Databases, rows

PRODUCTS, SHARE = 300, 0.05

COLUMNS = {
    "products": "product_id, name, slogan, description, category, default_price",
    "characteristics": "characteristic_id, product_id, kind",
    "reviews": "review_id, product_id, rating, created_at, summary, body, recommended, reported, reviewer_name, "
    "reviewer_email, response, helpfulness",
    "photos": "photo_id, product_id, review_id, url",
    "ratings": "rating_id, product_id, review_id, characteristic_id, value",
}
ODDITIES_OF_TEXT = ("doubled quotes", "other scripts", "line break in text", "longest text")


def answer(folder: Path) -> dict[str, Any]:
    """What ``dirt.json`` says."""
    content: dict[str, Any] = json.loads((folder / "dirt.json").read_text(encoding="utf-8"))
    return content


def listed(path: Path) -> list[tuple[str, ...]]:
    """File, line, column and reason of each row of a list of rejections."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [(row["file"], row["line"], row["column"], row["reason"]) for row in csv.DictReader(stream)]


def load(url: str, folder: Path, state: Path) -> tuple[Report, list[tuple[str, ...]]]:
    """Load ``folder``: the report, and what the reject file lists."""
    report = load_folder(url, folder, Settings(state=state))
    return report, listed(Path(report.rejects))


def table(url: str, name: str) -> dict[int, tuple[Any, ...]]:
    """The rows of a table by their number."""
    return {row[0]: tuple(row) for row in rows(url, f"SELECT {COLUMNS[name]} FROM {name}")}


def contents(folder: Path) -> Iterator[bytes]:
    """The files of ``folder`` by name, without compression, and the answer."""
    for path in sorted(folder.iterdir()):
        with opened(path) as (stream, _):
            yield stream.read()


@pytest.mark.parametrize("dialect", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_loader_rejects_exactly_what_was_spoilt(
    tmp_path: Path, databases: Databases, seed: int, dialect: Dialect
) -> None:
    folder = tmp_path / "dirty"
    made = generate_dirty_folder(folder, products=PRODUCTS, seed=seed, share=SHARE, dialect=dialect)

    report, rejected = load(databases.migrated(), folder, tmp_path / "state")

    assert rejected == listed(folder / "dirt.csv")
    assert {
        file.file: {"read": file.read, "loaded": file.loaded, "rejected": file.refused} for file in report.files
    } == answer(folder)["files"]
    assert (made.rows, made.rejected) == ({file.file: file.read for file in report.files}, len(rejected))


@pytest.mark.parametrize("dialect", [V1, V2], ids=["v1", "v2"])
def test_the_loader_rejects_exactly_what_was_spoilt_where_every_row_is(
    tmp_path: Path, databases: Databases, dialect: Dialect
) -> None:
    folder = tmp_path / "dirty"
    generate_dirty_folder(folder, products=60, seed=5, share=1, hot=20, dialect=dialect)

    _, rejected = load(databases.migrated(), folder, tmp_path / "state")

    assert rejected == listed(folder / "dirt.csv")


@pytest.mark.parametrize("dialect", [V1, V2], ids=["v1", "v2"])
def test_rows_that_are_loaded_are_those_of_the_clean_folder(
    tmp_path: Path, databases: Databases, dialect: Dialect
) -> None:
    clean, dirty = databases.migrated(), databases.migrated()
    generate_folder(tmp_path / "clean", products=PRODUCTS, seed=1, dialect=dialect)
    generate_dirty_folder(tmp_path / "dirty", products=PRODUCTS, seed=1, share=SHARE, dialect=dialect)
    load(clean, tmp_path / "clean", tmp_path / "state")
    load(dirty, tmp_path / "dirty", tmp_path / "state")

    differences: dict[str, list[tuple[Any, Any]]] = {}
    for name, columns in COLUMNS.items():
        expected = table(clean, name)
        for number, row in table(dirty, name).items():
            for column, value, other in zip(columns.split(", "), row, expected[number], strict=True):
                if value != other:
                    differences.setdefault(column, []).append((value, other))
    cleaned = answer(tmp_path / "dirty")["cleaned"]
    dates, responses = differences.pop("created_at", []), differences.pop("response", [])
    nulls = [pair for pair in responses if pair == ("null", None)]

    assert len(nulls) == cleaned["quoted null"]
    assert len(dates) == (cleaned["date of the other generation"] if dialect is V2 else 0)
    assert [value for value, _ in dates] == [datetime.combine(other, time(), UTC) for _, other in dates]
    texts = sum(map(len, differences.values())) + len(responses) - len(nulls)
    assert texts == sum(cleaned[kind] for kind in ODDITIES_OF_TEXT)
    assert set(differences) <= {"name", "slogan", "description", "summary", "body", "reviewer_name"}


def test_every_kind_of_dirt_occurs(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=PRODUCTS, seed=1, share=SHARE)

    content = answer(tmp_path)

    assert content["arguments"] == {"products": PRODUCTS, "seed": 1, "hot": 0, "dialect": "v2", "dirty": SHARE}
    assert content["cleaned"] == {
        "blank line": 59,
        "blanks around a number": 59,
        "boolean as a digit": 3,
        "boolean in another case": 3,
        "characteristic in another case": 4,
        "characteristic without quotes": 4,
        "date of the other generation": 3,
        "doubled quotes": 4,
        "line break in text": 4,
        "longest text": 3,
        "missing in another form": 3,
        "other scripts": 4,
        "quoted boolean": 3,
        "quoted null": 3,
        "quoted number": 59,
    }
    assert content["rejected"] == {
        "NUL": 11,
        "amount too exact": 1,
        "before 1995": 1,
        "characteristic of another product": 6,
        "child of a rejected row": 425,
        "child of a row that is not there": 208,
        "duplicate number": 9,
        "in the future": 1,
        "invalid UTF-8": 13,
        "missing number": 36,
        "missing parent": 9,
        "missing text": 6,
        "not a boolean": 2,
        "not a date": 1,
        "not a number": 34,
        "not a positive number": 29,
        "not an amount": 1,
        "number of the gateway's": 27,
        "out of range": 10,
        "over-long text": 7,
        "quote not doubled": 13,
        "rated twice": 5,
        "stray quote": 2,
        "too few fields": 12,
        "too many fields": 13,
        "unclosed quote": 11,
        "unclosed quote and a line break": 1,
        "unknown characteristic": 5,
        "unknown kind": 3,
    }
    assert content["forms"] == {
        "product.csv": [],
        "characteristics.csv.zst": [
            "Zstandard",
            "CR LF",
            "no last line feed",
            "columns in another order",
            "extra column",
        ],
        "reviews.csv.gz": [
            "gzip",
            "byte order mark",
            "no last line feed",
            "columns in another order",
            "extra column",
        ],
        "reviews_photos.csv": [
            "byte order mark",
            "CR LF",
        ],
        "characteristic_reviews.csv": [],
    }


def test_every_kind_of_dirt_of_the_first_generation_occurs(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=PRODUCTS, seed=1, share=SHARE, dialect=V1)

    content = answer(tmp_path)

    assert content["cleaned"] == {
        "blank line": 59,
        "blanks around a number": 60,
        "boolean in another case": 4,
        "characteristic in another case": 4,
        "characteristic without quotes": 4,
        "date of the other generation": 3,
        "doubled quotes": 3,
        "line break in text": 4,
        "longest text": 3,
        "missing in another form": 3,
        "other scripts": 3,
        "quoted boolean": 3,
        "quoted null": 3,
        "quoted number": 61,
    }
    assert content["rejected"] == {
        "NUL": 9,
        "before 1995": 1,
        "characteristic of another product": 6,
        "child of a rejected row": 129,
        "child of a row that is not there": 130,
        "duplicate number": 11,
        "in the future": 1,
        "invalid UTF-8": 11,
        "missing number": 33,
        "missing parent": 7,
        "missing text": 6,
        "not a boolean": 2,
        "not a date": 1,
        "not a number": 34,
        "not a positive number": 26,
        "number of the gateway's": 26,
        "out of range": 8,
        "over-long text": 6,
        "quote not doubled": 10,
        "rated twice": 6,
        "stray quote": 3,
        "too few fields": 10,
        "too many fields": 10,
        "unclosed quote": 10,
        "unclosed quote and a line break": 2,
        "unknown characteristic": 6,
        "unknown kind": 2,
    }


@pytest.mark.parametrize("seed", range(20))
def test_every_oddity_of_a_whole_file_is_somewhere(tmp_path: Path, seed: int) -> None:
    for dialect in (V1, V2):
        folder = tmp_path / dialect.name
        generate_dirty_folder(folder, products=1, seed=seed, share=SHARE, dialect=dialect)
        assert {kind for kinds in answer(folder)["forms"].values() for kind in kinds} == {
            "gzip",
            "Zstandard",
            "byte order mark",
            "CR LF",
            "no last line feed",
            "columns in another order",
            "extra column",
        }


def test_same_arguments_give_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate_dirty_folder(tmp_path / name, products=100, seed=9, share=0.1, hot=50)

    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two


def test_dirt_of_a_seed_is_the_same_on_every_machine(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=50, seed=1, share=0.1, hot=10)

    # Not the compressed bytes, which differ with the version of zlib.
    digest = hashlib.sha256(b"".join(contents(tmp_path))).hexdigest()
    assert digest == "1600b69d01d5c1ddea14598f59a28a8513e462dd072a828390a784334c39e8f6"


def test_compressed_files_do_not_tell_when_they_were_made(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=5, seed=1, share=0.1)

    (zipped,) = tmp_path.glob("*.gz")

    assert zipped.read_bytes()[3:8] == bytes(5)  # no name, no time
    assert gzip.decompress(zipped.read_bytes()).startswith(b"\xef\xbb\xbf")


def test_the_first_product_is_loaded_with_its_characteristics(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=2, seed=1, share=1, hot=500)

    files = {name.partition(".")[0]: counts for name, counts in answer(tmp_path)["files"].items()}
    assert not [reason for *_, reason in listed(tmp_path / "dirt.csv") if "product 1 was" in reason]
    assert files["reviews"]["read"] > 500


def test_an_answer_of_other_files_is_refused_and_left(tmp_path: Path) -> None:
    generate_dirty_folder(tmp_path, products=5, seed=1, share=0.1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(OperatorError) as refused:
        generate_folder(tmp_path, products=5, seed=1)

    assert str(refused.value) == (
        f"{tmp_path} holds characteristics.csv.zst, reviews.csv.gz, dirt.csv, dirt.json, "
        "which would be mixed up with the new files: remove that, or name another folder."
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_generate_tells_how_many_rows_must_be_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "made"

    assert main(["generate", str(folder), "--products", "40", "--seed", "1", "--dirty", "5%", "--dialect", "v1"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "         133  characteristics.csv",
        "         230  reviews.csv.zst",
        "         111  reviews_photos.csv.gz",
        "         777  characteristics_reviews.csv",
        f"          60  rows to be rejected, listed in {folder / 'dirt.csv'}",
        f"The dirt is counted in {folder / 'dirt.json'}.",
    ]


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.01", 0.01), ("1", 1.0), ("100%", 1.0), (".5", 0.5)])
def test_a_share_is_given_as_percent_or_as_a_fraction(tmp_path: Path, text: str, share: float) -> None:
    assert main(["generate", str(tmp_path), "--products", "1", "--seed", "1", "--dirty", text]) == 0
    assert answer(tmp_path)["arguments"]["dirty"] == share


@pytest.mark.parametrize("text", ["2", "101%", "-1%", "some"])
def test_what_is_no_share_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["generate", str(tmp_path), "--products", "1", "--seed", "1", f"--dirty={text}"]) == 2
    assert f"{text!r} is not a share like 1% or 0.01." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_share_is_no_dirt(tmp_path: Path) -> None:
    assert main(["generate", str(tmp_path), "--products", "5", "--seed", "1", "--dirty", "0"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(V2.files.values())
