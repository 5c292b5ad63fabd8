"""What pages of other origins can do, tried by Chromium: those on the list may ask, the others neither ask nor read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By

from graphql_api.documents.hashes import hash_of
from tests.browsers.conftest import Page
from tests.documents.test_documents import DOCUMENTS
from tests.harness.databases import value
from tests.harness.gateway import Gateway
from tests.harness.shop import Shop

JSON = {"Content-Type": "application/json"}
BLOCKED = {"error": "TypeError"}


def mutation(review: int) -> str:
    """The body of a vote."""
    return json.dumps({"query": DOCUMENTS["MarkReviewHelpful"], "variables": {"input": {"reviewId": str(review)}}})


def persisted(address: str, product: int) -> str:
    """The URL of a product's page."""
    variables = quote(json.dumps({"id": product}))
    return f"{address}/graphql/p/{hash_of(DOCUMENTS['ProductPage'])}/ProductPage?variables={variables}"


def votes(gateway: Gateway, review: int) -> int:
    found: int = value(gateway.database, "SELECT helpfulness FROM reviews WHERE review_id = $1", review)
    return found


def test_a_listed_page_reads_and_writes(pages: tuple[Page, Page], address: str, asked: Gateway, shop: Shop) -> None:
    page, _ = pages
    product = shop.product(name="Read by another origin")
    review = shop.review(product)
    first = page.fetch(persisted(address, product.number))
    again = page.fetch(persisted(address, product.number), headers={"If-None-Match": first["headers"]["etag"]})
    written = page.fetch(
        f"{address}/graphql", method="POST", headers={**JSON, "Idempotency-Key": "k"}, body=mutation(review)
    )

    assert (first["status"], first["type"]) == (200, "cors")
    assert json.loads(first["text"])["data"]["product"]["name"] == "Read by another origin"
    assert again["status"] in {200, 304}
    assert json.loads(written["text"])["data"]["markReviewHelpful"]["userErrors"] == []
    assert votes(asked, review) == 1
    for answer in (first, written):
        assert not {"changed", "cache-tag", "edge-max-age", "x-cache", "server-timing"} & set(answer["headers"])
        assert "x-request-id" in answer["headers"]


def test_another_page_reads_nothing_and_writes_nothing(
    pages: tuple[Page, Page], address: str, asked: Gateway, shop: Shop
) -> None:
    listed, other = pages
    product = shop.product()
    review = shop.review(product)
    url = persisted(address, product.number)

    assert other.fetch(url) == BLOCKED
    # Kept by the edge for one origin, and in the browser's own cache: still not the other's.
    assert listed.fetch(url)["status"] == 200
    assert other.fetch(url) == BLOCKED
    assert listed.fetch(url)["status"] == 200
    assert other.fetch(f"{address}/graphql", method="POST", headers=JSON, body=mutation(review)) == BLOCKED
    assert votes(asked, review) == 0


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_browser_sends_without_asking_first_changes_nothing(
    pages: tuple[Page, Page], address: str, asked: Gateway, shop: Shop, content_type: str
) -> None:
    _, other = pages
    review = shop.review(shop.product())
    sent = other.fetch(
        f"{address}/graphql",
        method="POST",
        mode="no-cors",
        headers={"Content-Type": content_type},
        body=mutation(review),
    )
    assert (sent["type"], sent["text"]) == ("opaque", "")
    assert votes(asked, review) == 0


def test_a_form_a_picture_and_a_script_of_another_page_change_and_tell_nothing(
    pages: tuple[Page, Page], address: str, asked: Gateway, shop: Shop
) -> None:
    _, other = pages
    product = shop.product(name="Not for scripts")
    review = shop.review(product)
    forged = quote(f'mutation {{ markReviewHelpful(input: {{reviewId: "{review}"}}) {{ userErrors {{ code }} }} }}')
    other.open(
        f'<form method="post" enctype="text/plain" action="{address}/graphql">'
        f"<input name='{mutation(review)[:-1]},\"a' value='\":1}}'></form>"
        f'<img src="{address}/graphql?query={forged}"><script src="{persisted(address, product.number)}"></script>'
    )
    other.driver.find_element(By.CSS_SELECTOR, "form").submit()
    deadline = time.monotonic() + 20
    while "Send the request as application/json" not in other.driver.page_source:
        assert time.monotonic() < deadline, other.driver.page_source
        time.sleep(0.05)
    assert votes(asked, review) == 0


def test_no_page_of_another_origin_shows_graphiql_in_a_frame(
    pages: tuple[Page, Page], address: str, requires: Callable[[str], str]
) -> None:
    assert requires("chromium")
    listed, _ = pages
    listed.open()
    outcome = listed.driver.execute_async_script(
        """
        const [url, done] = arguments, frame = document.createElement("iframe");
        frame.onload = () => {
          // A frame that was refused is an error page of an origin of its own; one that was not has our title.
          try { done(frame.contentDocument ? "blank" : "refused"); } catch (error) { done("refused"); }
        };
        frame.src = url;
        document.body.append(frame);
        """,
        f"{address}/graphql",
    )
    listed.driver.switch_to.frame(0)
    text = listed.driver.find_element(By.TAG_NAME, "body").text
    listed.driver.switch_to.default_content()
    assert outcome == "refused"
    assert "GraphiQL" not in text
