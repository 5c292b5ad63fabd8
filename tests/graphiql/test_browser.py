"""GraphiQL in a real browser, against a real gateway that holds the sample catalogue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.harness.browser import running_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 20
VALUE = "return document.querySelector(arguments[0])?.CodeMirror?.getValue()"
QUERY_PANE = ".graphiql-query-editor .CodeMirror"
RESULT_PANE = ".result-window .CodeMirror"
ROOT_TYPES = ".graphiql-doc-explorer-root-type ~ a"


@dataclass(frozen=True)
class Visit:
    """What a visit to the page showed: it opened the ProductPage tab, ran it, and looked at the schema's docs."""

    title: str
    tabs: list[str]
    result: dict[str, dict[str, dict[str, object]]]
    root_types: list[str]
    hosts: set[str | None]
    console: list[dict[str, object]]
    screenshot: Path


@pytest.fixture(scope="module")
def browser(requires: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    logs = {"browser": "ALL", "performance": "ALL"}
    profile = tmp_path_factory.mktemp("profile")
    with running_browser(requires, profile, "--window-size=1440,900", logs=logs) as driver:
        yield driver


@pytest.fixture(scope="module")
def visit(
    browser: webdriver.Chrome,
    gateway_url: str,
    unmet: Callable[[str], NoReturn],
    tmp_path_factory: pytest.TempPathFactory,
) -> Visit:
    page = httpx.get(f"{gateway_url}/graphql", headers={"Accept": "text/html"})
    if "/graphiql/" not in page.text:
        unmet("the gateway's page uses the CDN: GraphiQL's files are not installed where it looks")
    wait = WebDriverWait(browser, SECONDS)

    browser.get(f"{gateway_url}/graphql")
    wait.until(lambda driver: driver.execute_script(VALUE, QUERY_PANE))
    tabs = browser.find_elements(By.CSS_SELECTOR, ".graphiql-tab-button")
    names = [tab.text for tab in tabs]
    tabs[names.index("ProductPage")].click()
    browser.find_element(By.CSS_SELECTOR, ".graphiql-execute-button").click()
    result = wait.until(lambda driver: driver.execute_script(VALUE, RESULT_PANE))
    browser.find_element(By.CSS_SELECTOR, "[aria-label='Show Documentation Explorer']").click()
    root_types = wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ROOT_TYPES))
    screenshot = tmp_path_factory.mktemp("screenshot") / "graphiql.png"
    browser.save_screenshot(str(screenshot))
    return Visit(
        title=browser.title,
        tabs=names,
        result=json.loads(result),
        root_types=[link.text for link in root_types],
        hosts=hosts_asked(browser),
        console=browser.get_log("browser"),  # type: ignore[no-untyped-call] # selenium leaves it untyped
        screenshot=screenshot,
    )


def hosts_asked(browser: webdriver.Chrome) -> set[str | None]:
    """The hosts of all requests that need a network, since the browser started."""
    entries = browser.get_log("performance")  # type: ignore[no-untyped-call] # selenium leaves it untyped
    messages = (json.loads(entry["message"])["message"] for entry in entries)
    urls = (
        urlsplit(message["params"]["request"]["url"])
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    )
    return {url.hostname for url in urls if url.scheme in {"http", "https", "ws", "wss"}}


def test_the_page_opens_with_its_title_and_a_tab_for_each_example(visit: Visit) -> None:
    assert visit.title == "Reviews gateway"
    assert visit.tabs == ["ProductPage", "MoreReviews", "ProductCards", "AddReview", "MarkReviewHelpful"]


def test_running_the_product_page_shows_the_product(visit: Visit) -> None:
    product = visit.result["data"]["product"]

    assert (product["productId"], product["name"]) == ("2", "Bright Future Sunglasses")


def test_the_docs_show_the_schema(visit: Visit) -> None:
    assert visit.root_types == ["Query", "Mutation"]


def test_no_request_leaves_for_another_host(visit: Visit) -> None:
    assert visit.hosts == {"127.0.0.1"}


def test_the_console_stays_empty(visit: Visit) -> None:
    assert visit.console == []


def test_a_screenshot_is_kept(visit: Visit) -> None:
    assert visit.screenshot.read_bytes().startswith(b"\x89PNG")
