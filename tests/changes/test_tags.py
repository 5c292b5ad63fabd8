"""An answer shares a tag with every write that changes its bytes, whoever writes and whatever runs the operation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from graphql_api.schema.identity import encode
from graphql_api.settings import Secret, Settings
from loaders.batch import BatchLoader
from tests.harness.databases import Databases, rows, run, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import OwnProduct, Shop

REVIEW = """... on Review { id rating summary body recommended response helpfulness createdAt reviewerName
  photos { id url } characteristicRatings { value characteristic { kind average } } product { id name } }"""
PRODUCT = f"""... on Product {{ id name slogan category defaultPrice
  ratingSummary {{ average count recommendedRatio histogram {{ rating count }} }}
  characteristics {{ id kind average count }} shopperPhotos: reviewPhotos(first: 5) {{ totalCount nodes {{ url }} }}
  reviews(first: 9) {{ totalCount ratingCounts {{ rating count }} nodes {{ {REVIEW} }} }} }}"""
QUERIES = {
    "product": f"query($p: ID!) {{ product(id: $p) {{ {PRODUCT} }} }}",
    "other product": f"query($q: ID!) {{ product(id: $q) {{ {PRODUCT} }} }}",
    "product to come": f"query($z: ID!) {{ product(id: $z) {{ {PRODUCT} }} }}",
    "products": f"query($p: ID!, $q: ID!, $z: ID!) {{ products(ids: [$p, $q, $z]) {{ {PRODUCT} }} }}",
    "sorted": "query($p: ID!) { product(id: $p) { a: reviews(first: 2, sort: HELPFUL) { nodes { id helpfulness } }"
    " b: reviews(first: 2, sort: LOWEST_RATED) { totalCount nodes { id rating } }"
    " c: reviews(last: 2, sort: NEWEST, filter: { withPhotos: true }) { totalCount nodes { id } } } }",
    "searched": 'query($p: ID!) { product(id: $p) { reviews(first: 3, filter: { search: "special" })'
    " { totalCount ratingCounts { count } nodes { id } } } }",
    "review by id": f"query($r: ID!) {{ review(id: $r) {{ {REVIEW} }} }}",
    "review by number": f"query($n: ID!) {{ review(id: $n) {{ {REVIEW} }} }}",
    "review to come": f"query($y: ID!) {{ review(id: $y) {{ {REVIEW} }} }}",
    "node of product": f"query($gp: ID!) {{ node(id: $gp) {{ {PRODUCT} }} }}",
    "nodes": f"query($gp: ID!, $r: ID!, $h: ID!) {{ nodes(ids: [$gp, $r, $h]) {{ {PRODUCT} {REVIEW} }} }}",
    "hidden review": "query($h: ID!) { node(id: $h) { id } }",
    "characteristic": "query($c: ID!) { node(id: $c) { ... on Characteristic { kind average count labels } } }",
    "photo": "query($f: ID!) { node(id: $f) { ... on Photo { url review { id summary } } } }",
    "catalog": f"query($g: String) {{ catalog(category: $g, first: 5) {{ totalCount nodes {{ {PRODUCT} }} }} }}",
    "catalog searched": "query($w: String) { catalog(search: $w, first: 5) { totalCount edges { node { id name } } } }",
    "categories": "{ categories { name productCount } }",
    "nothing": '{ __typename node(id: "no id") { id } }',
}


class Shelf(NamedTuple):
    """Two products of a test's own, and what is asked about them."""

    product: OwnProduct
    other: OwnProduct
    review: int
    hidden: int
    photo: int
    coming_product: int
    coming_review: int
    word: str

    @property
    def variables(self) -> dict[str, object]:
        """The values of all variables."""
        own = self.product.number
        return {
            "p": str(own),
            "q": str(self.other.number),
            "z": str(self.coming_product),
            "n": str(self.review),
            "y": str(self.coming_review),
            "gp": encode("Product", own),
            "r": encode("Review", own, self.review),
            "h": encode("Review", own, self.hidden),
            "c": encode("Characteristic", own, self.product.characteristics["FIT"]),
            "f": encode("Photo", own, self.review, self.photo),
            "g": self.word,
            "w": self.word,
        }


class Kept(NamedTuple):
    """An answer as an edge would keep it."""

    body: bytes
    tags: frozenset[str]


@pytest.fixture(scope="module", params=["compiled", "reference"])
def asked(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    settings = Settings(
        database_url=Secret(databases.migrated()), state=tmp_path_factory.mktemp("tags"), execution=request.param
    )
    with running_gateway(settings) as running:
        for query in QUERIES.values():
            sha256 = hashlib.sha256(query.encode()).hexdigest()
            extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
            answer = running.http.post("/graphql", json={"query": query, "extensions": extensions})
            assert "VALIDATION" not in answer.text, (query, answer.text)
        yield running


@pytest.fixture
def shelf(asked: Gateway) -> Shelf:
    shop = Shop(asked.database)
    word = f"shelf{value(asked.database, 'SELECT count(*) FROM products')}"
    product = shop.product("FIT", "SIZE", name=f"One {word}", category=word)
    other = shop.product("FIT", name=f"Two {word}", category=word)
    review, hidden = shop.reviews(
        product,
        [{"photos": 2, "values": {"FIT": 3, "SIZE": 4}, "body": "Something special"}, {"reported": True, "rating": 1}],
    )
    shop.reviews(product, [{"rating": n, "helpfulness": n} for n in (1, 3, 5)])
    shop.review(other)
    photo = value(asked.database, "SELECT min(photo_id) FROM photos WHERE review_id = $1", review)
    coming = product.number + 800_000
    return Shelf(product, other, review, hidden, photo, coming, review + 1000, word)


def all_kept(gateway: Gateway, shelf: Shelf) -> dict[str, Kept]:
    """Every answer, by the name of its query."""
    kept = {}
    for name, query in QUERIES.items():
        sha256 = hashlib.sha256(query.encode()).hexdigest()
        used = {key: one for key, one in shelf.variables.items() if f"${key}:" in query}
        answer = gateway.http.get(f"/graphql/p/{sha256}", params={"variables": json.dumps(used)})
        assert answer.status_code == 200
        assert "errors" not in answer.json(), answer.text
        assert answer.headers["edge-max-age"] == "3600"
        kept[name] = Kept(answer.content, frozenset(answer.headers["cache-tag"].split()))
    return kept


def changed_names(gateway: Gateway, shelf: Shelf, write: str, *arguments: object) -> set[str]:
    """The queries whose answers ``write`` changes, each of which shares a tag with what it recorded."""
    before = all_kept(gateway, shelf)
    newest = value(gateway.database, "SELECT coalesce(max(change_id), 0) FROM changes")
    run(gateway.database, write, *arguments)
    recorded = rows(gateway.database, "SELECT tags FROM changes WHERE change_id > $1", newest)
    told = {"all"} if not recorded else {tag for row in recorded for tag in row["tags"].split()}
    assert recorded
    after = all_kept(gateway, shelf)
    changed = {name for name in QUERIES if before[name].body != after[name].body}
    untold = {name for name in changed if not (before[name].tags | {"all"}) & told}
    assert untold == set(), (told, {name: before[name].tags for name in untold})
    return changed


BELOW = "product_id = $1 AND review_id = $2"
WRITES = {
    "a review's text": f"UPDATE reviews SET body = 'Other, special' WHERE {BELOW}",
    "a review's votes": f"UPDATE reviews SET helpfulness = 999 WHERE {BELOW}",
    "a review's stars": f"UPDATE reviews SET rating = 1 WHERE {BELOW}",
    "a review is hidden": f"UPDATE reviews SET reported = true WHERE {BELOW}",
    "a review is removed": f"DELETE FROM reviews WHERE {BELOW}",
    "a photo's address": f"UPDATE photos SET url = 'https://photos.example/other.jpg' WHERE {BELOW}",
    "a photo is removed": f"DELETE FROM photos WHERE {BELOW}",
    "a photo is added": "INSERT INTO photos (product_id, review_id, photo_id, url) VALUES ($1, $2, 1, 'https://a.example')",
    "a rating's value": f"UPDATE ratings SET value = 1 WHERE {BELOW}",
    "a rating is removed": f"DELETE FROM ratings WHERE {BELOW}",
}
OF_PRODUCT = {
    "its name": "UPDATE products SET name = 'Renamed' WHERE product_id = $1",
    "its category": "UPDATE products SET category = 'elsewhere' WHERE product_id = $1",
    "its removal": "DELETE FROM products WHERE product_id = $1",
    "a characteristic's kind": "UPDATE characteristics SET kind = 'WIDTH' WHERE product_id = $1 AND kind = 'FIT'",
    "a characteristic's removal": "DELETE FROM characteristics WHERE product_id = $1",
    "a new characteristic": "INSERT INTO characteristics VALUES ($1, 1, 'LENGTH')",
    "its reviews' removal": "DELETE FROM reviews WHERE product_id = $1",
    "all its reviews hidden": "UPDATE reviews SET reported = true WHERE product_id = $1",
    "its figures by hand": "DELETE FROM product_figures WHERE product_id = $1",
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_to_a_review_is_told_to_all_that_show_it(asked: Gateway, shelf: Shelf, write: str) -> None:
    changed = changed_names(asked, shelf, WRITES[write], shelf.product.number, shelf.review)

    assert {"product", "catalog", "review by number", "nodes"} <= changed


@pytest.mark.parametrize("write", OF_PRODUCT)
def test_a_write_to_a_product_is_told_to_all_that_show_it(asked: Gateway, shelf: Shelf, write: str) -> None:
    changed = changed_names(asked, shelf, OF_PRODUCT[write], shelf.product.number)

    assert {"product", "products", "catalog"} <= changed
    assert "other product" not in changed


def test_what_was_not_there_is_told_when_it_comes(asked: Gateway, shelf: Shelf) -> None:
    changed = changed_names(
        asked,
        shelf,
        f"INSERT INTO products (product_id, name, category) VALUES ($1, 'New {shelf.word}', $2)",
        shelf.coming_product,
        shelf.word,
    )
    assert changed == {"product to come", "products", "catalog", "catalog searched", "categories"}

    changed = changed_names(
        asked,
        shelf,
        "INSERT INTO reviews (product_id, review_id, rating, created_at, summary, body, recommended, reviewer_name,"
        " reviewer_email) VALUES ($1, $2, 5, now(), 'New', 'New', true, 'n', 'n@example.com')",
        shelf.other.number,
        shelf.coming_review,
    )
    assert changed >= {"review to come", "other product", "products", "catalog"}

    changed = changed_names(
        asked, shelf, f"UPDATE reviews SET reported = false WHERE {BELOW}", shelf.product.number, shelf.hidden
    )
    assert changed >= {"hidden review", "product"}


def test_what_is_emptied_is_told_to_all(asked: Gateway, shelf: Shelf) -> None:
    assert "photo" in changed_names(asked, shelf, "TRUNCATE photos")


def test_another_products_answers_are_not_touched(asked: Gateway, shelf: Shelf) -> None:
    kept = all_kept(asked, shelf)

    assert kept["other product"].tags == {f"product:{shelf.other.number}"}
    assert kept["review by number"].tags == {f"product:{shelf.product.number}", f"review:{shelf.review}"}
    assert kept["review to come"].tags == {f"review:{shelf.coming_review}"}
    assert kept["categories"].tags == {"catalog"}
    assert kept["nothing"].tags == {"all"}
    assert kept["catalog"].tags == {"catalog", *(f"product:{one.number}" for one in (shelf.product, shelf.other))}


def test_every_loader_says_its_tags() -> None:
    def below(loader: type[BatchLoader[object, object]]) -> Iterator[type[BatchLoader[object, object]]]:
        for one in loader.__subclasses__():
            yield one
            yield from below(one)

    found = [one for one in below(BatchLoader) if one.__module__.startswith("loaders.")]
    assert len(found) >= 14
    assert [one.__name__ for one in found if not hasattr(one, "tags")] == []
