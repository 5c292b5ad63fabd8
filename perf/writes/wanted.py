"""What is written: helpful votes and reviews, as bodies for the gateway and as scripts for pgbench."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from graphql_api.schema.identity import encode
from perf.catalogue import HOT, Catalogue, rows, run
from perf.load import MARK, hash_of
from perf.servers import document

TARGETS = 20_000
"""Reviews that are voted for, and so the products that are written to."""
_TEXT = "It does what it says, and after a month of use I would take it again without a second thought."

_TABLES = """
CREATE TABLE bench_targets (target integer PRIMARY KEY, product_id bigint NOT NULL, review_id bigint NOT NULL);
CREATE TABLE bench_hot_targets (LIKE bench_targets INCLUDING ALL);
"""
_DRAWN = """
INSERT INTO bench_targets
SELECT row_number() OVER (), product_id, review_id FROM (
    SELECT DISTINCT ON (product_id) product_id, review_id FROM reviews
    WHERE NOT reported AND product_id <> $1 AND product_id IN (
        SELECT product_id FROM products ORDER BY hashint8(product_id) LIMIT $2)
) AS drawn
"""
_DRAWN_HOT = """
INSERT INTO bench_hot_targets
SELECT row_number() OVER (), product_id, review_id FROM reviews WHERE NOT reported AND product_id = $1 LIMIT $2
"""
_BEFORE = """
CREATE TABLE bench_before AS SELECT product_id, review_id, helpfulness FROM reviews
WHERE review_id IN (SELECT review_id FROM bench_targets UNION ALL SELECT review_id FROM bench_hot_targets)
"""

# The same rows as the gateway's, in as few statements as it takes; the triggers add theirs to both.
_VOTE = """
\\set target random(1, {most})
\\set voter random(1, 1000000000000000)
BEGIN;
INSERT INTO helpful_votes (product_id, review_id, voter)
    SELECT product_id, review_id, sha256(int8send(:voter)) FROM {table} WHERE target = :target ON CONFLICT DO NOTHING;
UPDATE reviews SET helpfulness = helpfulness + 1
    WHERE (product_id, review_id) = (SELECT product_id, review_id FROM {table} WHERE target = :target);
COMMIT;
"""
_REVIEW = """
\\set target random(1, {most})
\\set key random(1, 1000000000000000)
BEGIN;
SELECT product_id, nextval('review_numbers') AS review_id FROM {table} WHERE target = :target \\gset
INSERT INTO idempotency_keys (product_id, key, fingerprint, review_id)
    VALUES (:product_id, 'pgbench-' || :key, sha256(int8send(:key)), :review_id);
INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,
                     reviewer_email, photo_count)
    VALUES (:product_id, :review_id, 4, now(), 'As it says', '{text}', true, 'Ines', 'ines@example.com', 1);
INSERT INTO photos (product_id, review_id, photo_id, url)
    VALUES (:product_id, :review_id, nextval('photo_numbers'), 'https://example.com/photo.jpg');
INSERT INTO ratings (product_id, review_id, characteristic_id, rating_id, value)
    SELECT product_id, :review_id, characteristic_id, nextval('rating_numbers'), 4
    FROM characteristics WHERE product_id = :product_id ORDER BY characteristic_id;
COMMIT;
"""


@dataclass(frozen=True)
class Wanted:
    """One kind of write to one set of targets: a file of bodies for the gateway, and a script for pgbench."""

    bodies: Path
    script: Path


def drawn(catalogue: Catalogue, place: Path) -> dict[str, Wanted]:
    """Votes and reviews for many products and for one, in files of ``place``. Makes the tables of their targets."""
    run(catalogue.url, _TABLES)
    run(catalogue.url, _DRAWN, HOT, TARGETS)
    run(catalogue.url, _DRAWN_HOT, HOT, TARGETS)
    run(catalogue.url, _BEFORE)
    run(catalogue.url, "VACUUM ANALYZE bench_targets, bench_hot_targets")
    made = {}
    for whose, table in (("many products", "bench_targets"), ("one product", "bench_hot_targets")):
        targets = [tuple(row) for row in rows(catalogue.url, f"SELECT product_id, review_id FROM {table}")]
        made[f"votes, {whose}"] = _files(place, "vote", table, [_vote(*target) for target in targets], _VOTE)
        kinds = rows(
            catalogue.url,
            f"SELECT product_id, array_agg(characteristic_id ORDER BY characteristic_id) FROM characteristics"
            f" WHERE product_id IN (SELECT product_id FROM {table}) GROUP BY 1",
        )
        of_product = {row[0]: row[1] for row in kinds}
        bodies = [_review(product, of_product.get(product, [])) for product, _ in targets]
        made[f"reviews, {whose}"] = _files(place, "review", table, bodies, _REVIEW)
    return made


def _files(place: Path, kind: str, table: str, bodies: list[str], script: str) -> Wanted:
    wanted = Wanted(place / f"{kind}-{table}.json", place / f"{kind}-{table}.sql")
    wanted.bodies.write_text("\n".join(bodies) + "\n")
    wanted.script.write_text(script.format(table=table, most=len(bodies), text=_TEXT))
    return wanted


def _vote(product_id: int, review_id: int) -> str:
    return _body("MarkReviewHelpful", {"reviewId": encode("Review", product_id, review_id), "voter": MARK})


def _review(product_id: int, characteristics: list[int]) -> str:
    sent = {
        "productId": str(product_id),
        "rating": 4,
        "summary": "As it says",
        "body": _TEXT,
        "recommended": True,
        "reviewerName": "Ines",
        "reviewerEmail": "ines@example.com",
        "photos": ["https://example.com/photo.jpg"],
        "characteristics": [{"characteristicId": str(number), "value": 4} for number in characteristics],
        "idempotencyKey": MARK,
    }
    return _body("AddReview", sent)


def _body(name: str, sent: dict[str, object]) -> str:
    return json.dumps({"documentId": f"sha256:{hash_of(document(name))}", "variables": {"input": sent}})
