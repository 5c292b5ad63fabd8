"""GraphiQL's files fetched for real, once a session, and the tools that takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import pytest

from graphql_api.graphiql.assets import install

if TYPE_CHECKING:
    from pathlib import Path

Unmet = Callable[[str], NoReturn]
Requires = Callable[[str], str]


@pytest.fixture(scope="session")
def unmet() -> Unmet:
    """Ends a test that cannot run here: skipped with the sentence, failed where the environment says CI."""

    def end(sentence: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)

    return end


@pytest.fixture(scope="session")
def requires(unmet: Unmet) -> Requires:
    """Gives the path of a program by its name, or ends the test as ``unmet`` does."""

    def find(program: str) -> str:
        return shutil.which(program) or unmet(f"{program} is not installed")

    return find


@pytest.fixture(scope="session")
def installed(requires: Requires, unmet: Unmet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which npm has put GraphiQL's files. Shared: copy it to change it."""
    requires("npm")
    folder = tmp_path_factory.mktemp("graphiql") / "files"
    installation = install(folder)
    if not installation.complete:
        unmet(installation.sentence)
    return folder
