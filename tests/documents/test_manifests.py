"""What front ends ship: Apollo's manifest, Relay's map, folders; and what is said of a file that is none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from graphql_api.documents.manifests import Shipped, apollo_manifest, shipped_in
from graphql_api.errors import OperatorError

TEXT = "query Own { __typename }"


def written(path: Path, content: Any) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(OperatorError) as refused:
        list(shipped_in(path))
    return str(refused.value)


def test_a_manifest_of_apollos_gives_each_body_under_its_id(tmp_path: Path) -> None:
    operations = [{"id": "a1", "body": TEXT, "name": "Own", "type": "query"}, {"id": "b2", "body": "{ __typename }"}]
    manifest = written(
        tmp_path / "manifest.json",
        {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations},
    )
    assert list(shipped_in(manifest)) == [Shipped(manifest, TEXT, "a1"), Shipped(manifest, "{ __typename }", "b2")]


def test_a_map_of_relays_gives_each_text_under_its_id(tmp_path: Path) -> None:
    relay = written(tmp_path / "relay.json", {"d41d8cd98f00b204e9800998ecf8427e": TEXT})
    assert list(shipped_in(relay)) == [Shipped(relay, TEXT, "d41d8cd98f00b204e9800998ecf8427e")]


def test_a_folder_gives_its_files_and_those_below_in_order(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    names = ("b.graphql", "below/a.graphql", "a.graphql")
    for name in names:
        written(tmp_path / name, f"query {Path(name).stem} {{ __typename }}".encode())
    written(tmp_path / "notes.txt", b"no document")
    assert [shipped.name for shipped in shipped_in(tmp_path)] == [
        str(tmp_path / name) for name in ("a.graphql", "b.graphql", "below/a.graphql")
    ]


def test_a_text_is_taken_byte_by_byte_as_its_hash_is_of_them(tmp_path: Path) -> None:
    text = "query Zoë {\r\n  __typename\r\n}\r\n"
    (shipped,) = shipped_in(written(tmp_path / "a.graphql", text.encode()))
    assert shipped.text == text


def test_what_we_write_for_apollo_is_read_again(tmp_path: Path) -> None:
    manifest = written(tmp_path / "m.json", apollo_manifest({"a1": TEXT}, {"a1": ("Own", "query")}))
    assert list(shipped_in(manifest)) == [Shipped(manifest, TEXT, "a1")]


APOLLO = "apollo-persisted-query-manifest"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{\n  "a": }', ":2:8: this is not JSON: unexpected character, expected a JSON value."),
        (b'{"a": "\xff"}', ":1:1: this is not JSON: str is not valid UTF-8: surrogates not allowed."),
        ([TEXT], " is neither a manifest of Apollo's nor a map of Relay's."),
        ({"format": APOLLO, "version": 2, "operations": []}, " is of version 2: only version 1 is known."),
        ({"format": APOLLO, "version": 1}, " has no list of `operations`."),
        (
            {"format": APOLLO, "version": 1, "operations": [{"id": "a1", "body": TEXT}, {"id": "b2"}]},
            ": operations[1] must have an id and a text, both strings.",
        ),
        (
            {"format": APOLLO, "version": 1, "operations": [{"id": "", "body": TEXT}]},
            ": operations[0] has an empty id.",
        ),
        ({"a1": 1}, ": a1 must have an id and a text, both strings."),
    ],
)
def test_a_file_that_is_none_is_named_with_what_is_wrong(tmp_path: Path, content: Any, sentence: str) -> None:
    path = written(tmp_path / "manifest.json", content)
    assert refusal(path) == f"{path}{sentence}"


def test_a_document_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    written(tmp_path / "a.graphql", b"{ __typename }")
    path = written(tmp_path / "b.graphql", b"# Caf\n# Caf\xe9\n{ __typename }")
    assert refusal(tmp_path) == f"{path}:2: this is not UTF-8."


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} holds no .graphql file."


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.json") == f"{tmp_path / 'none.json'} cannot be read: No such file or directory."
