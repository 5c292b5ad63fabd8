"""Trusted documents are checked before the first request: a broken one is named with its line and column."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from graphql_api.app import create_app
from graphql_api.documents.store import Store
from graphql_api.documents.trusted import OWN, BrokenDocumentError, Trusted, trusted_in
from graphql_api.errors import OperatorError
from graphql_api.execution.document import Documents
from graphql_api.schema.build import build_schema
from graphql_api.settings import Secret, Settings

SCHEMA = build_schema()
TEXT = "query Own { __typename }"
OTHER = "query Other { __typename }"


def checked(path: Path, **given: Any) -> list[Trusted | BrokenDocumentError]:
    settings = Settings(**given)
    return list(trusted_in([path], Documents(SCHEMA, settings), settings.max_cost))


def problems(path: Path, **given: Any) -> list[str]:
    """What is wrong with the one document of ``path``, without the path."""
    (found,) = checked(path, **given)
    assert isinstance(found, BrokenDocumentError)
    assert str(found) == found.problems[0]
    return [problem.removeprefix(str(path)) for problem in found.problems]


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def relay(path: Path, **texts: str) -> Path:
    path.write_bytes(orjson.dumps(texts))
    return path


def store(*manifests: Path) -> Store:
    settings = Settings(manifests=os.pathsep.join(map(str, manifests)))
    return Store(Documents(SCHEMA, settings), settings)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- What is known


def test_our_own_documents_are_known_by_the_hash_of_their_bytes() -> None:
    one = store()
    files = sorted(OWN.glob("*.graphql"))
    assert [found.shipped.file for found in one.trusted] == files
    for file in files:
        found = one.known(hashlib.sha256(file.read_bytes()).hexdigest())
        assert found is not None
        assert found.text == file.read_text()


def test_a_document_of_a_manifest_is_known_by_its_id_and_by_its_hash(tmp_path: Path) -> None:
    one = store(relay(tmp_path / "relay.json", a1=TEXT))
    found = one.known("a1")
    assert found is not None
    assert (found.text, one.known(sha256(TEXT)) is found) == (TEXT, True)
    assert one.is_trusted(found)


def test_several_manifests_and_folders_are_taken_together(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "other.graphql", OTHER)
    one = store(relay(tmp_path / "relay.json", a1=TEXT), folder)
    assert [one.known(name) is not None for name in ("a1", sha256(OTHER), "other")] == [True, True, False]


def test_a_text_that_several_files_bring_is_one_document(tmp_path: Path) -> None:
    one = store(relay(tmp_path / "one.json", a1=TEXT), relay(tmp_path / "two.json", b2=TEXT))
    assert one.known("a1") is one.known("b2") is one.known(sha256(TEXT)) is not None


@pytest.mark.parametrize("swapped", [False, True])
def test_one_id_for_two_documents_is_refused(tmp_path: Path, swapped: bool) -> None:
    files = [relay(tmp_path / "one.json", a1=TEXT), relay(tmp_path / "two.json", a1=OTHER)]
    if swapped:
        files.reverse()
    with pytest.raises(OperatorError) as refused:
        store(*files)
    assert str(refused.value) == f"{files[1]}, a1: another document of the files has the id a1."


@pytest.mark.parametrize("swapped", [False, True])
def test_an_id_that_is_the_hash_of_another_document_is_refused(tmp_path: Path, swapped: bool) -> None:
    files = [relay(tmp_path / "one.json", **{sha256(OTHER): TEXT}), relay(tmp_path / "two.json", b2=OTHER)]
    if swapped:
        files.reverse()
    with pytest.raises(OperatorError, match=f"another document of the files has the id {sha256(OTHER)}"):
        store(*files)


# --- What it costs


def test_a_document_is_priced_at_full_pages_by_operation(tmp_path: Path) -> None:
    text = (
        "query Page($first: Int = 5) { product(id: 1) { reviews(first: $first) { nodes { body } } } }\n"
        "query Name { product(id: 1) { name } }"
    )
    (found,) = checked(written(tmp_path / "a.graphql", text))
    assert isinstance(found, Trusted)
    # A product, its connection, a hundred reviews.
    assert found.costs == {"Page": 102, "Name": 1}


def test_a_document_that_is_too_large_as_it_stands_is_broken(tmp_path: Path) -> None:
    text = "# Five\nquery Page($first: Int = 5) { product(id: 1) { reviews(first: $first) { nodes { body } } } }"
    path = written(tmp_path / "a.graphql", text)
    assert isinstance(checked(path, max_cost=7)[0], Trusted)
    assert problems(path, max_cost=6) == [":2:1: an answer could hold more than 6 objects: ask for smaller pages."]


# --- What is broken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "query Own {\n  product(id: 1) {\n    nme\n  }\n}",
            [":3:5: Cannot query field 'nme' on type 'Product'. Did you mean 'name'?"],
        ),
        (
            "query Own {\n  quux\n  slgan\n}",
            [
                ":2:3: Cannot query field 'quux' on type 'Query'.",
                ":3:3: Cannot query field 'slgan' on type 'Query'.",
            ],
        ),
        ("query Own {\n  __typename\n", [":3:1: Syntax Error: Expected Name, found <EOF>."]),
        ("", [":1:1: Syntax Error: Unexpected <EOF>."]),
    ],
)
def test_each_error_has_its_line_and_column(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(written(tmp_path / "a.graphql", text)) == expected


def test_a_document_without_an_operation_is_broken(tmp_path: Path) -> None:
    fragment = "fragment Name on Product { name }"
    assert problems(written(tmp_path / "a.graphql", fragment)) == [":1:1: Fragment 'Name' is never used."]
    schema = "type Own { name: String }"
    assert problems(written(tmp_path / "a.graphql", schema)) == [":1:1: The 'Own' definition is not executable."]


def test_a_broken_document_of_a_manifest_is_named_by_its_id(tmp_path: Path) -> None:
    assert problems(relay(tmp_path / "relay.json", a1="{ quux }")) == [
        ", a1:1:3: Cannot query field 'quux' on type 'Query'."
    ]


def test_a_broken_document_ends_the_start_in_one_sentence(tmp_path: Path) -> None:
    path = written(tmp_path / "a.graphql", "query Own {\n  quux\n  slgan\n}")
    settings = Settings(
        database_url=Secret("postgresql://nobody@127.0.0.1:1/none"), state=tmp_path, manifests=str(path)
    )
    with pytest.raises(OperatorError) as refused:
        create_app(settings)
    assert str(refused.value) == f"{path}:2:3: Cannot query field 'quux' on type 'Query'."
