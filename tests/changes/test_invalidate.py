"""``reviews invalidate``: what it records for edges, and what it takes for a tag."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.harness.databases import Databases, rows
from tests.harness.processes import ROOT, environment


@pytest.fixture(scope="module")
def database(databases: Databases) -> str:
    return databases.migrated()


def invalidated(database: str, *tags: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    command = [sys.executable, "-m", "graphql_api.cli", "invalidate", *tags]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(DATABASE_URL=database), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.strip()


def recorded(database: str) -> list[str]:
    return [row["tags"] for row in rows(database, "SELECT tags FROM changes ORDER BY change_id")]


def test_tags_are_recorded_once_each_as_one_change(database: str) -> None:
    before = recorded(database)
    assert invalidated(database, "product:7", "catalog", "product:7") == (
        0,
        "Recorded: every edge forgets catalog, product:7 within a tenth of a second.",
    )
    assert recorded(database)[len(before) :] == ["catalog product:7"]


@pytest.mark.parametrize(
    "tag", ["", "product", "product:", "product:07", "product:-1", "product:1 all", "ALL", "user:1"]
)
def test_what_is_no_tag_is_refused_in_a_sentence_and_nothing_is_recorded(database: str, tag: str) -> None:
    before = recorded(database)
    code, said = invalidated(database, "product:1", tag)
    assert (code, said) == (
        2,
        f"reviews: {tag!r} is no tag: name all, catalog, product:<number> or review:<number>.",
    )
    assert recorded(database) == before
