"""A real browser, pages of two origins, and gateway and edge that let one of them ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from selenium import webdriver

from graphql_api.settings import Secret, Settings
from tests.harness.browser import running_browser
from tests.harness.databases import Databases
from tests.harness.edge import Fronted, running_edge
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.shop import Shop

ASK = """
const [url, options, done] = arguments;
fetch(url, options).then(async (answer) => done({
  status: answer.status, type: answer.type, text: await answer.text(), headers: Object.fromEntries(answer.headers),
}), (error) => done({error: error.name}));
"""


@dataclass(frozen=True)
class Page:
    """A page of ``origin``, open in the browser when it is used."""

    driver: webdriver.Chrome
    origin: str

    def open(self, html: str = "") -> None:
        """Go there; ``html`` is what the page holds."""
        self.driver.get(f"{self.origin}/")
        self.driver.execute_script("document.body.innerHTML = arguments[0]", html)

    def fetch(self, url: str, **options: Any) -> dict[str, Any]:
        """What its script gets."""
        self.open()
        found: dict[str, Any] = self.driver.execute_async_script(ASK, url, options)
        return found


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="package")
def driver(requires: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with running_browser(requires, tmp_path_factory.mktemp("profile")) as running:
        running.set_script_timeout(30)
        yield running


@pytest.fixture(scope="package")
def pages(driver: webdriver.Chrome) -> Iterator[tuple[Page, Page]]:
    """A page that is on the list and one that is not: each server is an origin."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Blank) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    listed, other = (Page(driver, f"http://127.0.0.1:{server.server_address[1]}") for server in servers)
    yield listed, other
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="package")
def asked(
    databases: Databases, pages: tuple[Page, Page], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that lets the first page ask."""
    settings = Settings(
        database_url=Secret(databases.migrated()),
        state=tmp_path_factory.mktemp("asked"),
        cors_origins=(pages[0].origin,),
        voter_secret=Secret("a test's"),
    )
    with running_gateway(settings) as running:
        yield running


@pytest.fixture(scope="package")
def edge(
    nginx: str, asked: Gateway, pages: tuple[Page, Page], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fronted]:
    """An edge before it, with the same list."""
    assert nginx
    with running_edge(asked, tmp_path_factory.mktemp("edge"), EDGE_CORS_ORIGINS=pages[0].origin) as running:
        yield running


@pytest.fixture
def shop(asked: Gateway) -> Shop:
    """Writes to its database."""
    return Shop(asked.database)


@pytest.fixture(params=["gateway", "edge"])
def address(request: pytest.FixtureRequest, asked: Gateway) -> str:
    """The address of the gateway, and of the edge before it."""
    if request.param == "gateway":
        return asked.url
    fronted: Fronted = request.getfixturevalue("edge")
    return f"http://{fronted.edge.listen}"
