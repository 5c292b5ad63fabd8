"""Bytes grown by what they reach: documents, requests, ids and cursors, in one process without a server.

``python -m tests.fuzz.guided TARGET SECONDS SEED`` tells what libFuzzer did, and ends with 77 at a finding, whose input
lies in the folder ``CRASHES`` then. The seed 0 is another each time. Needs the extra ``fuzz``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["graphql_api", "graphql.language", "graphql.utilities", "graphql.validation"]):
    from graphql_api.errors import BadUserInputError
    from graphql_api.execution.document import Document, Documents
    from graphql_api.http_error import HttpError
    from graphql_api.http_request import JSON, negotiated, request_of_body, request_of_query_string
    from graphql_api.schema import cursors, identity
    from graphql_api.schema.build import build_schema
    from graphql_api.settings import Settings

CRASHES = ".local-fuzz"


def _documents() -> Callable[[bytes], None]:
    documents = Documents(build_schema(), Settings())

    def take(data: bytes) -> None:
        made = documents.make(data.decode(errors="replace"))
        if not isinstance(made, Document):
            assert b'"code"' in made.body
            return
        for operation in made.operations.values():
            assert made.cost(operation, {}, 10_000) >= 0

    return take


def _judge(error: HttpError) -> None:
    assert error.status in {400, 404}
    assert b'"code"' in error.body


def _requests() -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        for read in (
            lambda: request_of_body(JSON, data),
            lambda: request_of_query_string(data),
            lambda: request_of_query_string(b"", data.decode("latin-1")),
        ):
            try:
                asked = read()
            except HttpError as error:
                _judge(error)
            else:
                assert asked.query or asked.document_id
        negotiated(data.decode("latin-1"), (JSON,))

    return take


def _ids() -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        text = data.decode(errors="replace")
        found = identity.decode(text)
        assert found is None or identity.encode(found[0], *found[1]) == text

    return take


def _cursors() -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        text = data.decode(errors="replace")
        try:
            values = cursors.decode(text, "after", "photos", 1, (float, int))
        except BadUserInputError:
            return
        assert cursors.encode("photos", 1, values) == text

    return take


TARGETS = {"documents": _documents, "requests": _requests, "ids": _ids, "cursors": _cursors}
SEEDS = {
    "documents": [
        b"{ product(id: 1) { name reviews(first: 2) { nodes { id } } } }",
        b"query A($a: ID!) { node(id: $a) { id } }",
    ],
    "requests": [
        b'{"query":"{a}","variables":{"a":1}}',
        b"documentId=sha256:aa&variables=%7B%22a%22:1%7D&extensions=%7B%7D",
    ],
    "ids": [identity.encode("Product", 1).encode(), identity.encode("Photo", 1, 2, 3).encode()],
    "cursors": [cursors.encode("photos", 1, (1.5, 2)).encode()],
}


def main(target: str, seconds: str, seed: str) -> None:
    """Fuzz ``target`` for so many seconds, from ``seed``."""
    crashes = Path(CRASHES)
    corpus = crashes / target
    if seed != "0":  # what earlier runs found would make it another run
        shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True, exist_ok=True)
    for place, text in enumerate(SEEDS[target]):
        (corpus / f"seed-{place}").write_bytes(text)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-timeout=5",
        "-max_len=4096",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={crashes}/{target}-", str(corpus)], TARGETS[target]())
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
