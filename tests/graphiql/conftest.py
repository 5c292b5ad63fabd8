"""GraphiQL's files fetched for real, once a session."""

from __future__ import annotations

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
