"""Any text that a client sends is stored and given back exactly, or refused with a code; nothing in between."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.databases import rows, value
from tests.harness.gateway import Gateway
from tests.harness.shop import OwnProduct, Shop
from tests.mutations.test_add_review import ADD, BODY, add, problems, wanted

_keys = itertools.count()
# Marks that combine, change the direction, mean nothing, need four bytes, are no characters, or end a string in C.
_ODD = "\x00\x01\x1f\x7f\x85\u00ad\u0301\u0345\u200b\u200d\u2028\u202e\u2066\ufdd0\ufeff\ufffd\ufffe\uffff"
_ODD += "\U0001f469\U0001fffe\U000e0001\U0010ffff\"'\\%_;$\t\r\n İßﬃ가각"
TEXTS = st.text(st.sampled_from(_ODD) | st.characters(exclude_categories=["Cs"]), max_size=30)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def product(gateway: Gateway) -> OwnProduct:
    """A product of this module's own."""
    return Shop(gateway.database).product()


@given(text=TEXTS)
@FEW
def test_a_review_has_the_texts_that_were_sent_or_is_refused(gateway: Gateway, product: OwnProduct, text: str) -> None:
    sent = {"summary": text, "body": BODY + text + ".", "reviewerName": text + "n"}
    answer = add(gateway, wanted(product, **sent))
    if "\x00" in text:
        refused = {path for path, code in problems(answer) if code == "INVALID"}
        # Blanks around a text are not part of it, and a NUL is no blank.
        assert refused == {"summary", "body", "reviewerName"}
        assert answer["review"] is None
        return
    assert answer["userErrors"] == []
    trimmed = [held.strip() for held in sent.values()]
    review = answer["review"]
    assert [review["summary"], review["body"], review["reviewerName"]] == trimmed
    (row,) = rows(
        gateway.database,
        "SELECT summary, body, reviewer_name FROM reviews WHERE review_id = $1 AND product_id = $2",
        int(review["reviewId"]),
        product.number,
    )
    assert list(row) == trimmed


@given(text=TEXTS)
@FEW
def test_a_key_of_any_signs_makes_one_review_by_input_and_by_header(
    gateway: Gateway, product: OwnProduct, text: str
) -> None:
    key = f"{next(_keys)}{text}."
    first = add(gateway, wanted(product, idempotencyKey=key))
    if "\x00" in key:
        assert problems(first) == [("idempotencyKey", "INVALID")]
        return
    again = add(gateway, wanted(product, idempotencyKey=key))
    assert first["userErrors"] == again["userErrors"] == []
    assert again["review"]["id"] == first["review"]["id"]
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in key):
        return  # no header can carry it
    answer = gateway.http.post(
        "/graphql",
        json={"query": ADD, "variables": {"input": wanted(product)}},
        headers=[(b"Idempotency-Key", key.encode())],
    )
    assert answer.json()["data"]["addReview"]["review"]["id"] == first["review"]["id"]


@given(key=st.binary(min_size=1, max_size=20).map(lambda raw: b"k" + raw + b"k"))
@FEW
def test_a_header_that_is_no_text_is_refused(gateway: Gateway, product: OwnProduct, key: bytes) -> None:
    key = bytes(sign for sign in key if sign >= 32 and sign != 127)
    answer = gateway.http.post(
        "/graphql",
        json={"query": ADD, "variables": {"input": wanted(product)}},
        headers=[(b"Idempotency-Key", key)],
    )
    found = problems(answer.json()["data"]["addReview"])
    try:
        key.decode()
    except UnicodeDecodeError:
        assert found == [("idempotencyKey", "INVALID")]
    else:
        assert found in ([], [("idempotencyKey", "CONFLICT")])


@given(voter=TEXTS)
@FEW
def test_a_voter_of_any_signs_has_one_vote(gateway: Gateway, product: OwnProduct, voter: str) -> None:
    review = Shop(gateway.database).review(product)
    vote = "mutation ($i: MarkReviewHelpfulInput!) { markReviewHelpful(input: $i) { userErrors { field code } } }"
    mark = f"v{voter}v"
    answers = [
        gateway.data(vote, i={"reviewId": str(review), "voter": mark})["markReviewHelpful"]["userErrors"]
        for _ in range(2)
    ]
    refused = "\x00" in voter
    codes = ["INVALID", "INVALID"] if refused else [None, "DUPLICATE"]
    assert answers == [[{"field": ["input", "voter"], "code": code}] if code else [] for code in codes]
    votes = value(gateway.database, "SELECT helpfulness FROM reviews WHERE review_id = $1", review)
    assert votes == (0 if refused else 1)


@given(text=TEXTS)
@FEW
def test_ids_cursors_and_searches_of_any_signs_find_nothing_or_are_refused(gateway: Gateway, text: str) -> None:
    asked = {
        "query ($t: ID!) { product(id: $t) { id } }": {"BAD_USER_INPUT"},
        "query ($t: ID!) { node(id: $t) { id } }": {"BAD_USER_INPUT"},
        "query ($t: String!) { catalog(first: 1, after: $t) { totalCount } }": {"BAD_USER_INPUT"},
        "query ($t: String!) { catalog(first: 1, search: $t) { totalCount } }": {"BAD_USER_INPUT"},
        "query ($t: String!) { catalog(first: 1, category: $t) { totalCount } }": set(),
    }
    for query, codes in asked.items():
        answer = gateway.send(query, t=f"é{text}")
        assert {error["extensions"]["code"] for error in answer.get("errors", [])} <= codes, (query, answer)


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "\\ud83d x", "\\udc00\\ud800"])
@pytest.mark.parametrize("field", ["summary", "body", "reviewerName", "idempotencyKey", "productId"])
def test_half_a_pair_anywhere_is_refused_as_no_json(
    gateway: Gateway, product: OwnProduct, field: str, half: str
) -> None:
    sent: dict[str, Any] = {"query": ADD, "variables": {"input": wanted(product, **{field: "HALF"})}}
    body = json.dumps(sent).replace("HALF", half)
    answer = gateway.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_REQUEST"]
