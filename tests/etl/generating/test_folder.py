"""The made-up shop: the same for the same seed, and of the shapes of the full export."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.generating.dialects import V1, V2
from etl.generating.folder import generate_folder
from etl.generating.words import RESPONSES
from graphql_api.errors import OperatorError


def digest(folder: Path) -> str:
    """One hash over the five files."""
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in V2.files.values())).hexdigest()


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a file, read with the csv module."""
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 products; the first has 3,000 reviews more."""
    folder = tmp_path_factory.mktemp("shop")
    generate_folder(folder, products=1000, seed=7, hot=3000)
    return folder


def test_same_seed_gives_same_bytes(shop: Path, tmp_path: Path) -> None:
    generate_folder(tmp_path, products=1000, seed=7, hot=3000)

    assert digest(tmp_path) == digest(shop)


def test_other_seed_gives_other_bytes(shop: Path, tmp_path: Path) -> None:
    generate_folder(tmp_path, products=1000, seed=8, hot=3000)

    assert digest(tmp_path) != digest(shop)


def test_bytes_of_a_seed_are_the_same_on_every_machine(tmp_path: Path) -> None:
    generate_folder(tmp_path, products=50, seed=1, hot=10)

    assert digest(tmp_path) == "f45562d44927d92f1e4ac0dfc3ce473ccb085a89aa0e40dcfdce215c1e01029f"


def test_counts_of_a_seed(tmp_path: Path) -> None:
    assert generate_folder(tmp_path, products=1000, seed=7, hot=3000) == {
        "product.csv": 1000,
        "characteristics.csv": 3268,
        "reviews.csv": 8755,
        "reviews_photos.csv": 4202,
        "characteristic_reviews.csv": 30841,
    }


def test_numbers_are_dense_in_every_file(shop: Path) -> None:
    for name in V2.files.values():
        numbers = [int(row["id"]) for row in read(shop, name)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_hot_product_has_its_reviews_on_top_and_some_products_have_none(shop: Path, tmp_path: Path) -> None:
    generate_folder(tmp_path, products=1000, seed=7)

    flat = Counter(row["product_id"] for row in read(tmp_path, "reviews.csv"))
    hot = Counter(row["product_id"] for row in read(shop, "reviews.csv"))

    assert hot["1"] == flat["1"] + 3000
    assert (max(flat.values()), 1000 - len(flat)) == (11, 5)


def test_every_review_rates_every_characteristic_of_its_product(shop: Path) -> None:
    kinds: dict[str, set[str]] = {}
    for row in read(shop, "characteristics.csv"):
        kinds.setdefault(row["product_id"], set()).add(row["id"])
    home = {row["id"]: row["product_id"] for row in read(shop, "reviews.csv")}
    rated: dict[str, set[str]] = {}
    for row in read(shop, "characteristic_reviews.csv"):
        rated.setdefault(row["review_id"], set()).add(row["characteristic_id"])

    assert rated == {review: kinds[product] for review, product in home.items()}


def test_reviews_have_the_shape_of_the_export(tmp_path: Path) -> None:
    generate_folder(tmp_path, products=4000, seed=3)
    reviews = read(tmp_path, "reviews.csv")
    lengths = [len(row["body"]) for row in reviews]
    photos = Counter(Counter(row["review_id"] for row in read(tmp_path, "reviews_photos.csv")).values())

    assert {
        "reviews": round(len(reviews) / 4000, 2),
        "body": (min(lengths), round(sum(lengths) / len(lengths)), max(lengths)),
        "recommended": round(sum(row["recommend"] == "true" for row in reviews) / len(reviews), 2),
        "reported": round(sum(row["reported"] == "true" for row in reviews) / len(reviews), 3),
        "no response": round(sum(row["response"] == "null" for row in reviews) / len(reviews), 2),
        "ratings": {row["rating"] for row in reviews},
        "helpfulness": (min(int(r["helpfulness"]) for r in reviews), max(int(r["helpfulness"]) for r in reviews)),
        "photos": round(sum(count * number for count, number in photos.items()) / len(reviews), 2),
        "most photos": max(photos),
    } == {
        "reviews": 5.79,
        "body": (17, 189, 334),
        "recommended": 0.75,
        "reported": 0.016,
        "no response": 0.88,
        "ratings": {"1", "2", "3", "4", "5"},
        "helpfulness": (0, 29),
        "photos": 0.48,
        "most photos": 5,
    }


def test_addresses_are_of_nobody(shop: Path) -> None:
    assert {row["reviewer_email"].partition("@")[2] for row in read(shop, "reviews.csv")} == {"example.com"}


def test_bytes_of_the_first_generation_are_the_same_on_every_machine(tmp_path: Path) -> None:
    generate_folder(tmp_path, products=50, seed=1, hot=10, dialect=V1)

    assert hashlib.sha256(b"".join((tmp_path / name).read_bytes() for name in V1.files.values())).hexdigest() == (
        "86568d056d59e3d92a4a7dfb91af86aea2309c7eb96146f55aaa965b1a6a1d07"
    )


def test_the_first_generation_has_its_own_files_and_forms(tmp_path: Path) -> None:
    made = generate_folder(tmp_path, products=1000, seed=7, hot=3000, dialect=V1)
    reviews = read(tmp_path, "reviews.csv")
    text = (tmp_path / "reviews.csv").read_text(encoding="utf-8")

    assert made == {
        "characteristics.csv": 3268,
        "reviews.csv": 8755,
        "reviews_photos.csv": 4202,
        "characteristics_reviews.csv": 30841,
    }
    assert {path.name for path in tmp_path.iterdir()} == made.keys()
    assert len(re.findall(r'^\d+,\d+,\d,"20\d\d-\d\d-\d\d",', text, re.MULTILINE)) == len(reviews)
    assert {row["recommend"] for row in reviews} == {row["reported"] for row in reviews} == {"true", "false", "1", "0"}
    assert {row["response"] for row in reviews} == {"", "null", *RESPONSES}
    assert '"null"' not in text


def test_both_generations_say_the_same(shop: Path, tmp_path: Path) -> None:
    generate_folder(tmp_path, products=1000, seed=7, hot=3000, dialect=V1)

    def meaning(row: dict[str, str]) -> dict[str, object]:
        date, response = row["date"], row["response"]
        day = date if "-" in date else f"{datetime.fromtimestamp(int(date) / 1000, UTC):%Y-%m-%d}"
        booleans = {name: row[name] in {"true", "1"} for name in ("recommend", "reported")}
        return {**row, **booleans, "date": day, "response": None if response in {"", "null"} else response}

    assert list(map(meaning, read(tmp_path, "reviews.csv"))) == list(map(meaning, read(shop, "reviews.csv")))


@pytest.mark.parametrize(
    "name", ["product.csv", "characteristic_reviews.csv", "reviews.csv.gz", "reviews_photos.csv.zst", "dirt.csv"]
)
def test_files_that_would_be_mixed_up_with_the_new_ones_are_refused_and_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not ours", encoding="utf-8")

    with pytest.raises(OperatorError) as refused:
        generate_folder(tmp_path, products=5, seed=1, dialect=V1)

    assert str(refused.value) == (
        f"{tmp_path} holds {name}, which would be mixed up with the new files: remove that, or name another folder."
    )
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["not ours"]


def test_files_of_the_same_names_are_replaced(tmp_path: Path) -> None:
    generate_folder(tmp_path, products=50, seed=2)
    generate_folder(tmp_path, products=50, seed=1, hot=10)

    assert digest(tmp_path) == "f45562d44927d92f1e4ac0dfc3ce473ccb085a89aa0e40dcfdce215c1e01029f"
