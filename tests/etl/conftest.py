"""An empty migrated database for each test, and the small folder loaded into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from etl.catalogue import BULK_ROWS
from etl.load import load_folder
from etl.report import Report
from graphql_api.settings import Settings
from tests.etl.folders import write_folder
from tests.harness.databases import Databases


@pytest.fixture
def database(databases: Databases) -> str:
    """The address of an empty migrated database of the test's own."""
    return databases.migrated()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a state folder of the test's own."""
    return Settings(state=tmp_path / "state")


@pytest.fixture
def loading(database: str, settings: Settings, tmp_path: Path) -> Callable[..., Report]:
    """Load the small folder, changed, or another one, into the database."""

    def load(
        changes: Mapping[str, list[str]] | None = None,
        folder: Path | None = None,
        *,
        bulk_rows: int = BULK_ROWS,
        prune: bool = False,
    ) -> Report:
        folder = folder or write_folder(tmp_path / "folder", changes)
        return load_folder(database, folder, settings, bulk_rows=bulk_rows, prune=prune)

    return load
