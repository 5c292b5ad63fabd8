"""Loads tell whoever keeps answers: of a first one everything, of a later one what changed, past the triggers all."""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner

from etl.cli import commands
from etl.load import load_folder
from graphql_api.settings import Secret, Settings
from tests.conftest import SAMPLE
from tests.harness.databases import Databases, rows, run


def recorded(url: str) -> list[str]:
    """The tags that were recorded, in their order."""
    return [row["tags"] for row in rows(url, "SELECT tags FROM changes ORDER BY change_id")]


def test_a_first_load_tells_that_everything_has_changed(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    load_folder(url, SAMPLE, Settings(database_url=Secret(url), state=tmp_path))

    assert recorded(url) == ["all"]


def test_the_same_folder_again_tells_nothing_and_another_one_what_changed(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    settings = Settings(database_url=Secret(url), state=tmp_path)
    load_folder(url, SAMPLE, settings)
    load_folder(url, SAMPLE, settings)
    assert recorded(url) == ["all"]

    other = tmp_path / "other"
    shutil.copytree(SAMPLE, other)
    reviews = other / "reviews.csv"
    text = reviews.read_text()
    _, product, *_ = text.splitlines()[1].split(",")
    changed = text.splitlines()[1].replace(",true,", ",false,", 1)
    assert changed != text.splitlines()[1]
    reviews.write_text(text.replace(text.splitlines()[1], changed, 1))
    load_folder(url, other, settings)

    assert set(" ".join(recorded(url)[1:]).split()) >= {f"product:{product}"}
    assert "all" not in recorded(url)[1:]


def test_a_repair_tells_that_everything_has_changed(databases: Databases, tmp_path: Path) -> None:
    url = databases.migrated()
    load_folder(url, SAMPLE, Settings(database_url=Secret(url), state=tmp_path))
    run(url, "UPDATE product_figures SET photo_count = photo_count + 1")
    repaired = CliRunner().invoke(commands, ["verify", "--repair"], env={"DATABASE_URL": url})

    assert repaired.exit_code == 0, repaired.output
    assert recorded(url)[-1] == "all"
    assert len(recorded(url)) > 1
