"""Mutations while an export is loaded: whatever waits for what, nothing waits in a circle."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from etl.generating.folder import generate_folder
from etl.load import load_folder
from graphql_api.schema.identity import encode
from graphql_api.settings import Secret, Settings
from tests.harness.databases import Databases, rows, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.processes import ROOT, SECONDS, environment

PRODUCTS, WORKERS, LOADS = 40, 12, 3
ADD = "mutation ($input: AddReviewInput!) { addReview(input: $input) { review { id } userErrors { code } } }"
MARK = "mutation ($input: MarkReviewHelpfulInput!) { markReviewHelpful(input: $input) { userErrors { code } } }"
REPORT = "mutation ($input: ReportReviewInput!) { reportReview(input: $input) { userErrors { code } } }"


def test_mutations_beside_loads_never_deadlock(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    settings = Settings(database_url=Secret(url), state=tmp_path)
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        generate_folder(folder, products=PRODUCTS, seed=7)
    _change(folders[1] / "reviews.csv")
    load_folder(url, folders[0], settings)
    reviews = [(row[0], row[1]) for row in rows(url, "SELECT product_id, review_id FROM reviews")]
    asked = dict(rows(url, "SELECT product_id, array_agg(characteristic_id) FROM characteristics GROUP BY product_id"))
    over = threading.Event()
    said: Counter[str] = Counter()

    with running_gateway(settings) as gateway:
        workers = [
            threading.Thread(target=_write, args=(gateway, reviews, asked, n, over, said)) for n in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        try:
            # Each load changes every second review, and so every product, that is written to meanwhile.
            for n in range(LOADS):
                _load(url, folders[(n + 1) % 2], tmp_path)
        finally:
            over.set()
            for worker in workers:
                worker.join(SECONDS)

    assert value(url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    assert set(said) <= {"done", "NOT_FOUND"}, said
    assert said["done"] > 100
    assert value(url, "SELECT count(*) FROM reviews") > len(reviews)


def _change(reviews: Path) -> None:
    """Every second review has another rating and one vote more."""
    with reviews.open(newline="") as file:
        head, *lines = csv.reader(file)
    rating, votes = head.index("rating"), head.index("helpfulness")
    for line in lines[::2]:
        line[rating], line[votes] = str(int(line[rating]) % 5 + 1), str(int(line[votes]) + 1)
    with reviews.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *lines])


def _load(url: str, folder: Path, state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "etl", "load", str(folder), "--progress", "lines"],
        cwd=ROOT,
        env=environment(DATABASE_URL=url, REVIEWS_STATE=str(state)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _write(
    gateway: Gateway,
    reviews: list[tuple[int, int]],
    asked: dict[int, list[int]],
    seed: int,
    over: threading.Event,
    said: Counter[str],
) -> None:
    drawn = random.Random(seed)
    kinds: list[Callable[[], tuple[str, dict[str, Any]]]] = [
        # By its number a vote is stored by itself, by its global id beside others of the moment.
        lambda: (MARK, {"reviewId": str(drawn.choice(reviews)[1])}),
        lambda: (MARK, {"reviewId": encode("Review", *drawn.choice(reviews))}),
        lambda: (REPORT, {"reviewId": str(drawn.choice(reviews)[1])}),
        lambda: (ADD, _review(*drawn.choice(list(asked.items())))),
    ]
    while not over.is_set():
        query, sent = drawn.choices(kinds, [3, 3, 1, 3])[0]()
        answer = gateway.send(query, input=sent)
        if "errors" in answer:
            said.update(error["extensions"]["code"] for error in answer["errors"])
            continue
        (payload,) = answer["data"].values()
        said.update([error["code"] for error in payload["userErrors"]] or ["done"])


def _review(product: int, characteristics: list[int]) -> dict[str, Any]:
    return {
        "productId": str(product),
        "rating": 3,
        "summary": "Beside a load",
        "body": "Long enough to be a review that the gateway takes as one, and no longer.",
        "recommended": True,
        "reviewerName": "writer",
        "reviewerEmail": "writer@example.com",
        "characteristics": [{"characteristicId": str(number), "value": 5} for number in characteristics],
    }
