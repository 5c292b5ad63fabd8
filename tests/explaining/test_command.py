"""``reviews explain``, as a person runs it on the database of a gateway."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from click.testing import CliRunner, Result

from graphql_api.cli import main
from tests.db.test_pooler import running_pgbouncer
from tests.documents.test_documents import DOCUMENTS, FOLDER, READS, stocked
from tests.harness.databases import rows, value
from tests.harness.gateway import Gateway
from tests.harness.shop import Shop

ADD = {
    "productId": 1,
    "rating": 4,
    "summary": "Good",
    "body": "Fifty characters are the least that a review may have, and these are more.",
    "recommended": True,
    "reviewerName": "someone",
    "reviewerEmail": "someone@example.com",
    "photos": [],
    "characteristics": [],
}
MUTATIONS: dict[str, dict[str, Any]] = {
    "AddReview": {"input": ADD},
    "MarkReviewHelpful": {"input": {"reviewId": 3}},
    "ReportReview": {"input": {"reviewId": 3}},
}
WRITTEN = """
    SELECT (SELECT count(*) FROM reviews), (SELECT sum(helpfulness) FROM reviews),
      (SELECT count(*) FROM reviews WHERE reported), (SELECT count(*) FROM changes), (SELECT count(*) FROM documents),
      (SELECT count(*) FROM helpful_votes), (SELECT count(*) FROM reports)
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the person who runs the tests has set for the gateway."""
    for name in os.environ:
        if name.startswith("REVIEWS_"):
            monkeypatch.delenv(name)


def explained(
    gateway: Gateway, document: str | Path, variables: object = None, *more: str, said: str | None = None, **given: str
) -> Result:
    """The command's end; ``variables`` in JSON, unless they are a text."""
    spelt = variables if isinstance(variables, str) else orjson.dumps(variables or {}).decode()
    arguments = ["explain", str(document), "--variables", spelt, *more]
    environment = {"DATABASE_URL": gateway.database, **given}
    return CliRunner().invoke(main, arguments, env=environment, input=said, catch_exceptions=False)


def data(gateway: Gateway, document: str | Path, variables: object = None, *more: str, **given: str) -> Any:
    """What ``--json`` prints."""
    done = explained(gateway, document, variables, "--json", *more, **given)
    assert (done.exit_code, done.stderr) == (0, "")
    return orjson.loads(done.stdout)


def own(name: str) -> Path:
    return FOLDER / f"{name}.graphql"


# --- What is printed


def test_a_query_is_priced_planned_run_and_explained(gateway: Gateway) -> None:
    done = explained(gateway, own("ProductCards"), {"ids": [1, 2]})
    assert (done.exit_code, done.stderr) == (0, "")
    head, _tree, statement, answer = done.stdout.split("\n\n")
    sha256 = hashlib.sha256(DOCUMENTS["ProductCards"].encode()).hexdigest()
    assert head.splitlines() == [
        "query ProductCards",
        f"document {sha256}",
        "cost     24 objects, of 10,000 that an answer may hold",
        "plan     compiled",
    ]
    first, *lines = statement.splitlines()
    assert re.sub(r"[\d.]+ ms", "N ms", first) == ("1. products by id with characteristics and figures: 2 rows in N ms")
    assert lines[0] == "   $1 = [1, 2]"
    assert lines[1].startswith("   SELECT products.product_id, ")
    planned = lines[lines.index("   EXPLAIN") + 1 :]
    assert re.match(r"   [A-Z][A-Za-z ]+  \(cost=", planned[0])
    body = gateway.http.post("/graphql", json={"query": DOCUMENTS["ProductCards"], "variables": {"ids": [1, 2]}})
    assert answer == f"answer   {len(body.content):,} bytes, tags: product:1 product:2\n"


def test_a_terminal_gets_the_same_in_colours(gateway: Gateway) -> None:
    plain = explained(gateway, own("ProductCards"), {"ids": [1]}).stdout
    coloured = explained(gateway, own("ProductCards"), {"ids": [1]}, FORCE_COLOR="1", TERM="xterm").stdout

    def words(text: str) -> list[str]:
        return re.sub(r"[\d.]+ ms", "", re.sub(r"\x1b\[[\d;]*m", "", text)).split()

    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert words(coloured) == words(plain)


def test_json_is_the_same_as_data(gateway: Gateway) -> None:
    found = data(gateway, own("ProductCards"), {"ids": [1, 2]})
    (statement,) = found["statements"]
    assert (found["operation"], found["kind"], found["cost"], found["most"]) == ("ProductCards", "query", 24, 10_000)
    assert (found["reason"], found["not_run"]) == (None, None)
    assert (statement["name"], statement["keys"], statement["rows"]) == (
        "products by id with characteristics and figures",
        [[1, 2]],
        2,
    )
    assert statement["ms"] > 0
    assert found["answer"]["tags"] == ["product:1", "product:2"]


# --- What runs


@pytest.mark.parametrize("execution", ["compiled", "reference"])
@pytest.mark.parametrize("name", READS)
def test_the_statements_are_those_that_the_documents_cost(
    gateway: Gateway, shop: Shop, name: str, execution: str
) -> None:
    variables = READS[name].variables([stocked(shop, 5), stocked(shop, 5)])
    found = data(gateway, own(name), variables, REVIEWS_EXECUTION=execution)
    assert Counter(one["name"] for one in found["statements"]) == getattr(READS[name], execution)
    assert found["reason"] == (None if execution == "compiled" else "reference")
    assert all(one["explain"][0].strip() and one["ms"] > 0 for one in found["statements"])


@pytest.mark.parametrize("name", READS)
def test_the_answer_is_as_large_and_tagged_as_the_gateways(gateway: Gateway, shop: Shop, name: str) -> None:
    variables = READS[name].variables([stocked(shop, 3)])
    sha256 = hashlib.sha256(DOCUMENTS[name].encode()).hexdigest()
    sent = gateway.http.get(f"/graphql/p/{sha256}/{name}?variables={quote(orjson.dumps(variables))}")
    answer = data(gateway, own(name), variables)["answer"]
    assert answer == {"size": len(sent.content), "tags": sorted(sent.headers["cache-tag"].split()), "errors": []}


def test_analyze_counts_what_a_plan_reads(gateway: Gateway) -> None:
    plain, analyzed = (
        data(gateway, own("ProductPage"), {"id": 2}, *more)["statements"] for more in ([], ["--analyze"])
    )
    for one, other in zip(plain, analyzed, strict=True):
        assert not any("actual" in line or "Buffers" in line for line in one["explain"])
        assert "(actual time=" in other["explain"][0]
        assert any("Buffers: shared hit=" in line for line in other["explain"])


def test_a_plan_is_the_one_for_any_key(gateway: Gateway) -> None:
    (statement,) = data(gateway, own("ProductCards"), {"ids": [1]})["statements"]
    assert any("ANY ($1)" in line for line in statement["explain"])


def test_statements_are_explained_through_pgbouncer_and_leave_nothing_there(gateway: Gateway, tmp_path: Path) -> None:
    # The two begin at once, each when it has a connection: which is the first is not decided.
    asked = {"id": 2, "filter": {"recommended": True}}
    names = {one["name"] for one in data(gateway, own("MoreReviews"), asked)["statements"]}
    with running_pgbouncer(gateway.database, tmp_path) as url:
        for _ in range(3):
            found = data(gateway, own("MoreReviews"), asked, DATABASE_URL=url, REVIEWS_PGBOUNCER="1")["statements"]
            assert ({one["name"] for one in found}, len(found)) == (names, 2)
            assert all("(cost=" in one["explain"][0] for one in found)


def test_errors_of_the_answer_are_told(gateway: Gateway) -> None:
    done = explained(
        gateway, "-", None, said="{ product(id: 1) { reviews(filter: {ratings: [6]}) { nodes { body } } } }"
    )
    assert done.exit_code == 0
    assert "plan     none: graphql-core runs it (error)" in done.stdout
    assert done.stdout.splitlines()[-1] == "error    `filter.ratings` holds 6: stars go from 1 to 5."


# --- What does not run


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_priced_and_explained_and_nothing_is_written(gateway: Gateway, name: str) -> None:
    before = rows(gateway.database, WRITTEN)
    done = explained(gateway, own(name), MUTATIONS[name])
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"mutation {name}"
    assert lines[3] == "plan     compiled"
    assert lines[-1] == "A mutation is not run here: nothing was written."
    assert rows(gateway.database, WRITTEN) == before


def test_what_costs_too_much_is_not_run(gateway: Gateway) -> None:
    found = data(gateway, own("ProductPage"), {"id": 1, "first": 100}, REVIEWS_MAX_COST="1000")
    assert (found["cost"], found["most"], found["statements"], found["answer"]) == (2619, 1000, [], None)
    assert found["not_run"] == "The gateway refuses it for its cost: nothing was run."


# --- Which document


def test_a_document_is_found_by_its_hash(gateway: Gateway) -> None:
    sha256 = hashlib.sha256(DOCUMENTS["ProductCards"].encode()).hexdigest()
    assert data(gateway, sha256, {"ids": [1]})["operation"] == "ProductCards"


def test_one_that_a_client_registered_is_found_by_its_hash(gateway: Gateway) -> None:
    text = "query Registered { product(id: 1) { name } }"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    gateway.http.post("/graphql", json={"query": text, "documentId": f"sha256:{sha256}"}).raise_for_status()
    used = "SELECT last_used_at FROM documents WHERE sha256 = $1"
    before = value(gateway.database, used, sha256)
    assert data(gateway, sha256)["operation"] == "Registered"
    assert value(gateway.database, used, sha256) == before


def test_one_of_a_manifest_is_found_by_its_id(gateway: Gateway, tmp_path: Path) -> None:
    manifest = tmp_path / "relay.json"
    manifest.write_bytes(orjson.dumps({"a1": "query Shipped { product(id: 1) { name } }"}))
    assert data(gateway, "a1", REVIEWS_MANIFESTS=str(manifest))["operation"] == "Shipped"


def test_one_of_several_operations_is_chosen_by_its_name(gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "two.graphql"
    path.write_text("query One { product(id: 1) { name } } query Two { __typename }")
    assert data(gateway, path, None, "--operation", "One")["operation"] == "One"
    assert data(gateway, path, None, "--operation", "Two")["statements"] == []


# --- What cannot be explained


def refusal(done: Result) -> str:
    """The one sentence, with exit code 2 and nothing printed."""
    assert (done.exit_code, done.stdout) == (2, "")
    (sentence,) = done.stderr.splitlines()
    return sentence.removeprefix("reviews: ")


@pytest.mark.parametrize(
    ("text", "variables", "more", "sentence"),
    [
        ("{ quux }", None, [], "standard input:1:3: Cannot query field 'quux' on type 'Query'."),
        ("{ product(", None, [], "standard input:1:11: Syntax Error: Expected Name, found <EOF>."),
        ("fragment F on Product { name }", None, [], "standard input:1:1: Fragment 'F' is never used."),
        ("{ __typename }", "{", [], "--variables:1:2: this is not JSON: unexpected end of data."),
        (
            "{ __typename }",
            "[1]",
            [],
            '--variables must be an object of names and values, such as {"id": 2}.',
        ),
        (
            "query One { __typename }",
            None,
            ["--operation", "Two"],
            "The document has no operation named Two: name one of its own with --operation: One.",
        ),
        (
            "query One { __typename } query Two { __typename }",
            None,
            [],
            "The document has several operations: name one of its own with --operation: One, Two.",
        ),
        (
            "query ($id: ID!) { product(id: $id) { name } }",
            None,
            [],
            (
                "The variables do not fit: Variable '$id' has invalid value: "
                "Expected a value of non-null type 'ID!' to be provided."
            ),
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    gateway: Gateway, text: str, variables: object, more: list[str], sentence: str
) -> None:
    assert refusal(explained(gateway, "-", variables, *more, said=text)) == sentence


def test_a_document_that_is_nowhere_is_said_so(gateway: Gateway) -> None:
    assert refusal(explained(gateway, "nowhere.graphql")) == (
        "There is no file nowhere.graphql, and no document of that hash or id is known."
    )


def test_a_folder_is_no_document(gateway: Gateway, tmp_path: Path) -> None:
    assert refusal(explained(gateway, tmp_path)) == f"{tmp_path} cannot be read: Is a directory."


def test_what_is_not_utf8_is_said_with_its_line(gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "latin.graphql"
    path.write_bytes(b'{\n  product(id: "\xe4") { name }\n}\n')
    assert refusal(explained(gateway, path)) == f"{path}:2: this is not UTF-8."


def test_a_database_that_is_away_is_one_sentence(gateway: Gateway) -> None:
    away = "postgresql://127.0.0.1:1/reviews"
    sentence = refusal(explained(gateway, own("ProductCards"), {"ids": [1]}, DATABASE_URL=away))
    assert sentence.startswith(f"The database {away} cannot be reached: ")


def test_without_a_database_a_state_folder_is_looked_for(gateway: Gateway, tmp_path: Path) -> None:
    done = explained(gateway, own("ProductCards"), None, "--state", str(tmp_path), DATABASE_URL="")
    assert refusal(done) == f"{tmp_path} holds no embedded database: make one with reviews up."
