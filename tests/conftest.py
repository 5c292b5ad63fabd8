"""What every test may use: a server, databases on it, a gateway over the sample catalogue, and programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from etl.load import load_folder
from graphql_api.settings import Secret, Settings
from tests.edge.console import MODULES
from tests.harness.databases import Databases, running_server
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import Shop

Unmet = Callable[[str], NoReturn]
Requires = Callable[[str], str]

SAMPLE = Path(__file__).parent / "data" / "atelier" / "v2"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the PostgreSQL that this run uses."""
    with running_server(tmp_path_factory.mktemp("state")) as url:
        yield url


@pytest.fixture(scope="session")
def databases(server_url: str) -> Iterator[Databases]:
    """Makes databases on that server."""
    made = Databases(server_url)
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def gateway(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over the sample catalogue, loaded by our own ETL. Tests that write have products of their own."""
    url = databases.migrated()
    state = tmp_path_factory.mktemp("gateway")
    settings = Settings(database_url=Secret(url), state=state, voter_secret=Secret("a test's"))
    load_folder(url, SAMPLE, settings)
    with running_gateway(settings) as running:
        yield running


@pytest.fixture
def shop(gateway: Gateway) -> Shop:
    """Writes products of a test's own to the gateway's database."""
    return Shop(gateway.database)


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
def nginx(requires: Requires, unmet: Unmet) -> str:
    """The path of an nginx that has Lua."""
    found = requires("nginx")
    if not (MODULES / "ngx_http_lua_module.so").exists():
        unmet("nginx has no Lua: apt-get install libnginx-mod-http-lua lua-cjson")
    return found
