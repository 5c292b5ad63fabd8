"""``reviews documents``, as a person or a pipeline runs it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

import graphql_api.documents
from graphql_api.cli import main
from graphql_api.documents.manifests import shipped_in

FOLDER = Path(graphql_api.documents.__file__).parent
OWN = {path: path.read_bytes() for path in sorted(FOLDER.glob("*.graphql"))}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the person who runs the tests has set for the gateway."""
    for name in os.environ:
        if name.startswith("REVIEWS_"):
            monkeypatch.delenv(name)


def documents(*arguments: str | Path, **given: str) -> Result:
    return CliRunner().invoke(main, ["documents", *map(str, arguments)], env=given, catch_exceptions=False)


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


# --- check


def test_check_prices_all_that_the_gateway_trusts() -> None:
    done = documents("check")
    assert (done.exit_code, done.stderr) == (0, "")
    assert lines(done.stdout) == [
        ["operation", "objects", "document"],
        ["AddReview", "45", str(FOLDER / "AddReview.graphql")],
        ["MarkReviewHelpful", "3", str(FOLDER / "MarkReviewHelpful.graphql")],
        ["MoreReviews", "2,608", str(FOLDER / "MoreReviews.graphql")],
        ["ProductCards", "1,200", str(FOLDER / "ProductCards.graphql")],
        ["ProductPage", "2,619", str(FOLDER / "ProductPage.graphql")],
        ["ReportReview", "19", str(FOLDER / "ReportReview.graphql")],
        ["6", "of", "6", "documents", "can", "be", "run."],
    ]


def test_check_says_every_error_and_ends_with_2(tmp_path: Path) -> None:
    good, broken = tmp_path / "a.graphql", tmp_path / "b.graphql"
    good.write_text("{ __typename }")
    broken.write_text("{\n  quux\n  slgan\n}")
    done = documents("check", tmp_path)
    assert done.exit_code == 2
    assert lines(done.stdout) == [
        [f"{broken}:2:3:", "Cannot", "query", "field", "'quux'", "on", "type", "'Query'."],
        [f"{broken}:3:3:", "Cannot", "query", "field", "'slgan'", "on", "type", "'Query'."],
        ["operation", "objects", "document"],
        ["(unnamed)", "0", str(good)],
    ]
    assert done.stderr == "reviews: 1 of 2 documents cannot be run: the lines above say why.\n"


def test_check_says_which_can_go_beyond_the_limit_with_larger_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.graphql"
    path.write_text(
        "query Own($ids: [ID!]!, $first: Int = 5) { products(ids: $ids) { reviews(first: $first) { nodes { body } } } }"
    )
    done = documents("check", path)
    assert (done.exit_code, lines(done.stdout)[1]) == (0, ["Own", "10,200", str(path)])
    assert done.stdout.splitlines()[2:] == [
        "At full pages 1 of them can cost more than the 10,000 objects of an answer.",
        "1 of 1 documents can be run.",
    ]


def test_check_finds_an_id_that_two_documents_have(tmp_path: Path) -> None:
    for name, text in (("one", "{ __typename }"), ("two", "query Two { __typename }")):
        (tmp_path / f"{name}.json").write_bytes(orjson.dumps({"a1": text}))
    done = documents("check", tmp_path / "one.json", tmp_path / "two.json")
    assert (done.exit_code, done.stderr) == (
        2,
        f"reviews: {tmp_path / 'two.json'}, a1: another document of the files has the id a1.\n",
    )


def test_check_validates_as_the_gateway_will(tmp_path: Path) -> None:
    path = tmp_path / "a.graphql"
    path.write_text("{ __schema { queryType { name } } }")
    assert documents("check", path).exit_code == 0
    refused = documents("check", path, REVIEWS_INTROSPECTION="false")
    assert (refused.exit_code, refused.stdout.splitlines()[0]) == (
        2,
        f"{path}:1:3: GraphQL introspection has been disabled, but the requested query contained the field '__schema'.",
    )


# --- list


def test_list_has_a_line_a_document() -> None:
    done = documents("list")
    assert (done.exit_code, done.stderr) == (0, "")
    heading, *found = lines(done.stdout)
    assert heading == ["operations", "objects", "document", "sha256"]
    assert [(row[0], row[2], row[3]) for row in found] == [
        (path.stem, str(path), sha256(content)) for path, content in OWN.items()
    ]


def test_list_names_those_of_manifests_by_their_ids(tmp_path: Path) -> None:
    relay = tmp_path / "relay.json"
    relay.write_bytes(orjson.dumps({"a1": "query One { __typename } query Two { __typename }"}))
    done = documents("list", REVIEWS_MANIFESTS=str(relay))
    assert lines(done.stdout)[-1][:-1] == ["One", "Two", "0", f"{relay},", "a1"]


# --- manifest


@pytest.mark.parametrize("form", ["apollo", "relay"])
def test_a_manifest_that_is_written_is_one_that_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "manifest.json"
    done = documents("manifest", "--format", form, "--output", path)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"Wrote {path}.\n")
    assert {shipped.id: shipped.text.encode() for shipped in shipped_in(path)} == {
        sha256(content): content for content in OWN.values()
    }
    assert documents("check", path).exit_code == 0


def test_a_manifest_of_apollos_names_and_types_each_operation() -> None:
    done = documents("manifest")
    assert (done.exit_code, done.stderr) == (0, "")
    manifest = orjson.loads(done.stdout)
    assert (manifest["format"], manifest["version"]) == ("apollo-persisted-query-manifest", 1)
    mutations = {"AddReview", "MarkReviewHelpful", "ReportReview"}
    assert [(operation["name"], operation["type"]) for operation in manifest["operations"]] == [
        (path.stem, "mutation" if path.stem in mutations else "query") for path in OWN
    ]
