"""The made-up shop: the same for the same seed, and of the shapes of the full export."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from etl.generate import HEADERS, generate_folder


def digest(folder: Path) -> str:
    """One hash over the five files."""
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in HEADERS)).hexdigest()


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
    for name in HEADERS:
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
