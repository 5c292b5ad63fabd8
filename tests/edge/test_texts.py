"""Any sign in a text, an id, a cursor or a search is kept exactly or refused, at a gateway and through an edge."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from graphql_api.schema.identity import encode
from tests.harness.databases import rows, value
from tests.harness.edge import running_edge
from tests.harness.gateway import Gateway
from tests.harness.shop import OwnProduct, Shop
from tests.mutations.test_add_review import ADD, BODY, wanted

SIGNS = {
    "combining marks": "e\u0301\u0345\u0301",
    "right to left": "\u202eabc\u202c\u05d0\u2066",
    "joined emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "U+FFFF": "\uffff",
    "U+FDD0": "\ufdd0",
    "U+10FFFF": "\U0010ffff",
    "other digits": "\u0661\uff11",
    "no width": "\ufeff\u200b\u00ad",
}
NUL = "\x00"
HALVES = {"the first of a pair": "\\ud800", "the second": "\\udc00", "the wrong way round": "\\udc00\\ud800"}
_numbers = itertools.count()
Answer = tuple[int, dict[str, Any]]


@pytest.fixture(scope="module", params=["gateway", "edge"])
def http(
    gateway: Gateway, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Asks the gateway, or an edge before it."""
    if request.param == "gateway":
        yield gateway.http
        return
    request.getfixturevalue("nginx")
    with running_edge(gateway, tmp_path_factory.mktemp("edge"), EDGE_POST_RATE="1000000") as fronted:
        yield fronted.http


@pytest.fixture(scope="module")
def product(gateway: Gateway) -> OwnProduct:
    """A product of this module's own."""
    return Shop(gateway.database).product()


def posted(http: httpx.Client, query: str, variables: str) -> Answer:
    """The answer to a POST with ``variables``, JSON as it is written."""
    hash_ = hashlib.sha256(query.encode()).hexdigest()
    body = f'{{"query": {json.dumps(query)}, "documentId": "sha256:{hash_}", "variables": {variables}}}'
    answer = http.post("/graphql", content=body.encode(), headers={"Content-Type": "application/json"})
    return answer.status_code, answer.json()


def got(http: httpx.Client, query: str, variables: str) -> Answer:
    """The same by the URL of the document, which has been registered."""
    hash_ = hashlib.sha256(query.encode()).hexdigest()
    answer = http.get(f"/graphql/p/{hash_}?variables={quote(variables, safe='')}")
    return answer.status_code, answer.json()


def asked(http: httpx.Client, query: str, text: str) -> dict[str, Any]:
    """The one answer to ``query`` with ``text`` for ``$t``: escaped or not, by POST and by GET, again and again."""
    escaped, spelt_out = (json.dumps({"t": text}, ensure_ascii=ascii_) for ascii_ in (True, False))
    answers = [posted(http, query, variables) for variables in (escaped, spelt_out)]
    answers += [got(http, query, variables) for variables in (escaped, spelt_out) * 2]
    status, body = answers[0]
    assert answers == [(200, body)] * len(answers)
    assert status == 200
    return body


def codes(body: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body["errors"]]


@pytest.mark.parametrize("kind", SIGNS)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_text_comes_back_exactly_and_is_found_by_itself(
    http: httpx.Client, gateway: Gateway, product: OwnProduct, kind: str, escaped: bool
) -> None:
    text = f"kept{next(_numbers)}x{SIGNS[kind]}y"
    sent = wanted(product, summary=text, body=f"{BODY} {text}", reviewerName=text)
    status, body = posted(http, ADD, json.dumps({"input": sent}, ensure_ascii=escaped))

    review = body["data"]["addReview"]["review"]
    assert (status, body["data"]["addReview"]["userErrors"]) == (200, [])
    assert [review["summary"], review["body"], review["reviewerName"]] == [text, f"{BODY} {text}", text]
    found = rows(gateway.database, "SELECT summary, body, reviewer_name FROM reviews WHERE summary = $1", text)
    assert [list(row) for row in found] == [[text, f"{BODY} {text}", text]]
    one = "query ($t: ID!) { review(id: $t) { summary } }"
    assert asked(http, one, review["id"]) == {"data": {"review": {"summary": text}}}
    search = (
        f"query ($t: String) {{ product(id: {product.number})"
        " { reviews(first: 5, filter: { search: $t }) { nodes { summary } } } }"
    )
    assert asked(http, search, text) == {"data": {"product": {"reviews": {"nodes": [{"summary": text}]}}}}


def test_a_text_with_a_nul_is_refused_and_not_stored(http: httpx.Client, gateway: Gateway, product: OwnProduct) -> None:
    sent = wanted(product, summary=f"a{NUL}", body=f"{BODY}{NUL}", reviewerName=f"{NUL}a")
    before = value(gateway.database, "SELECT count(*) FROM reviews")
    status, body = posted(http, ADD, json.dumps({"input": sent}))

    told = [(error["field"], error["code"]) for error in body["data"]["addReview"]["userErrors"]]
    assert (status, body["data"]["addReview"]["review"]) == (200, None)
    assert told == [(["input", name], "INVALID") for name in ("summary", "body", "reviewerName")]
    assert value(gateway.database, "SELECT count(*) FROM reviews") == before


@pytest.mark.parametrize("sign", [*SIGNS.values(), NUL], ids=[*SIGNS, "NUL"])
def test_an_id_with_a_sign_more_is_nobodys(http: httpx.Client, sign: str) -> None:
    for number in (f"1{sign}", f"{sign}1", sign):
        assert asked(http, "query ($t: ID!) { product(id: $t) { id } }", number) == {"data": {"product": None}}
        assert asked(http, "query ($t: ID!) { products(ids: [$t]) { id } }", number) == {"data": {"products": [None]}}
        assert asked(http, "query ($t: ID!) { review(id: $t) { id } }", number) == {"data": {"review": None}}
    for name in (encode("Product", 1) + sign, sign + encode("Product", 1)):
        assert asked(http, "query ($t: ID!) { node(id: $t) { id } }", name) == {"data": {"node": None}}
        assert asked(http, "query ($t: ID!) { nodes(ids: [$t]) { id } }", name) == {"data": {"nodes": [None]}}


@pytest.mark.parametrize("sign", [*SIGNS.values(), NUL], ids=[*SIGNS, "NUL"])
def test_a_cursor_with_a_sign_more_is_refused(http: httpx.Client, gateway: Gateway, sign: str) -> None:
    end = gateway.data("{ catalog(first: 1) { pageInfo { endCursor } } }")["catalog"]["pageInfo"]["endCursor"]
    query = "query ($t: String) { catalog(first: 1, after: $t) { nodes { id } } }"
    assert asked(http, query, end) == {"data": {"catalog": {"nodes": [{"id": encode("Product", 2)}]}}}
    for cursor in (end + sign, sign + end, sign):
        assert codes(asked(http, query, cursor)) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "query",
    [
        "query ($t: String) { catalog(first: 1, search: $t) { totalCount } }",
        "query ($t: String) { product(id: 1) { reviews(filter: { search: $t }) { totalCount } } }",
    ],
)
def test_a_search_with_a_nul_is_refused(http: httpx.Client, query: str) -> None:
    assert codes(asked(http, query, f"abc{NUL}def")) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize(
    "query",
    [
        "mutation ($t: ID!) { markReviewHelpful(input: { reviewId: $t, voter: $t }) { userErrors { code } } }",
        "query ($t: ID!) { product(id: $t) { id } }",
        "query ($t: String) { catalog(first: 1, after: $t) { totalCount } }",
        "query ($t: String) { catalog(first: 1, search: $t) { totalCount } }",
    ],
)
def test_half_a_pair_is_no_json_in_a_variable_and_no_graphql_in_a_document(
    http: httpx.Client, query: str, half: str
) -> None:
    status, body = posted(http, query, f'{{"t": "abc{half}"}}')
    assert (status, codes(body)) == (400, ["BAD_REQUEST"])
    if query.startswith("query"):
        status, body = got(http, query, f'{{"t": "abc{half}"}}')
        assert (status, codes(body)) == (400, ["BAD_REQUEST"])
    operation = "{" + query.partition("{")[2].replace("$t", f'"abc{half}"')
    status, body = posted(http, query.split(maxsplit=1)[0] + " " + operation, "{}")
    assert (status, codes(body)) == (200, ["GRAPHQL_PARSE_FAILED"])
