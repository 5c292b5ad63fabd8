"""GraphiQL's files fetched for real, once a session, and the tools that takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from graphql_api.graphiql.assets import install
from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway

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
    folder = tmp_path_factory.mktemp("state") / "graphiql"
    installation = install(folder)
    if not installation.complete:
        unmet(installation.sentence)
    return folder


@pytest.fixture(scope="session")
def gateway_url(installed: Path, gateway: Gateway) -> Iterator[str]:
    """The address of a gateway over the sample catalogue that serves the page with those files."""
    settings = Settings(database_url=Secret(gateway.database), state=installed.parent)
    with running_gateway(settings) as running:
        yield running.url
