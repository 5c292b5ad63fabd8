"""Mutations that a plan answers: as graphql-core would, and what is written is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from graphql_api.settings import Secret, Settings
from tests.harness.databases import value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked
from tests.harness.shop import OwnProduct, Shop
from tests.mutations.test_add_review import wanted

SHOWN = """
    summary rating helpfulness recommended photos { __typename }
    characteristicRatings { value label characteristic { kind } }
    product { name ratingSummary { count average histogram { rating count } } characteristics { kind distribution } }
"""
PROBLEMS = "userErrors { field message code }"
VOTE = f"""
    mutation ($input: MarkReviewHelpfulInput!, $brief: Boolean = false) {{
        done: markReviewHelpful(input: $input) {{
            __typename ...Voted review @skip(if: $brief) {{ {SHOWN} }} {PROBLEMS} }} }}
    fragment Voted on MarkReviewHelpfulPayload {{ review {{ helpfulness }} }}
"""
REPORT = f"mutation ($input: ReportReviewInput!) {{ reportReview(input: $input) {{ product {{ name }} {PROBLEMS} }} }}"
ADD = f"""
    mutation ($input: AddReviewInput!) {{
        addReview(input: $input) {{ review {{ {SHOWN} }} product {{ reviews {{ totalCount }} }} {PROBLEMS} }} }}
"""
PRICE = "mutation ($input: AddReviewInput!) { addReview(input: $input) { product { name defaultPrice } } }"


_VOTED = "markReviewHelpful(input: {reviewId: $id}) { review { helpfulness } }"

Case = tuple[str, Callable[[OwnProduct, int], dict[str, Any]]]
CASES: dict[str, Case] = {
    "a vote": (VOTE, lambda _, review: {"input": {"reviewId": review, "voter": "a"}}),
    "a vote, told briefly": (VOTE, lambda _, review: {"input": {"reviewId": review}, "brief": True}),
    "a vote for nothing": (VOTE, lambda *_: {"input": {"reviewId": "0"}}),
    "a vote for no review's id": (VOTE, lambda *_: {"input": {"reviewId": "x"}}),
    "a vote of nobody": (VOTE, lambda _, review: {"input": {"reviewId": review, "voter": "a" * 201}}),
    "a vote of the wrong form": (VOTE, lambda *_: {"input": {"review": 1}}),
    "a vote without its input": (VOTE, lambda *_: {}),
    "a report": (REPORT, lambda _, review: {"input": {"reviewId": review, "reason": "Spam"}}),
    "a report of nothing": (REPORT, lambda *_: {"input": {"reviewId": 0, "reason": "\0"}}),
    "a review": (ADD, lambda product, _: {"input": wanted(product)}),
    "a review with a key": (ADD, lambda product, _: {"input": wanted(product, idempotencyKey=f"{product.number}")}),
    "a review of nothing": (ADD, lambda product, _: {"input": wanted(product, productId=0)}),
    "a review with every problem": (
        ADD,
        lambda product, _: {
            "input": wanted(product, rating=9, summary="\0", body="", photos=["x"] * 6, characteristics=[])
        },
    ),
    "a review, of which a price is asked": (PRICE, lambda product, _: {"input": wanted(product)}),
    "a report in the document": (
        'mutation { reportReview(input: {reviewId: "0", reason: "Spam"}) { deletedReviewId userErrors { code } } }',
        lambda *_: {},
    ),
    "a vote in the document": (
        f"mutation ($id: ID!) {{ {_VOTED} }}",
        lambda _, review: {"id": review},
    ),
    "two votes": (
        f"mutation ($id: ID!) {{ a: {_VOTED} b: {_VOTED} }}",
        lambda _, review: {"id": review},
    ),
    "a type's name and a vote": (
        f"mutation ($id: ID!) {{ __typename {_VOTED} }}",
        lambda _, review: {"id": review},
    ),
}


@pytest.fixture(scope="module")
def by_execution(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gateway]]:
    state = tmp_path_factory.mktemp("reference")
    with running_gateway(Settings(database_url=Secret(gateway.database), state=state, execution="reference")) as other:
        yield {"compiled": gateway, "reference": other}


@pytest.mark.parametrize("case", CASES)
def test_a_plan_answers_as_graphql_core_does(by_execution: dict[str, Gateway], shop: Shop, case: str) -> None:
    text, variables = CASES[case]
    answers, stored = [], []
    for execution in ("compiled", "reference"):
        product = shop.product("FIT", "QUALITY")
        review = shop.review(product, helpfulness=3, photos=1, values={"FIT": 2, "QUALITY": 4})
        answers.append(by_execution[execution].send(text, **variables(product, review)))
        stored.append(written(by_execution[execution].database, product))
    assert answers[0] == answers[1]
    assert stored[0] == stored[1]


def written(url: str, product: OwnProduct) -> list[int]:
    """What there is of the product: reviews, visible ones, votes that count, votes, reports, photos, keys."""
    counts: list[int] = value(
        url,
        """
        SELECT ARRAY[count(*), count(*) FILTER (WHERE NOT reported), sum(helpfulness),
            (SELECT count(*) FROM helpful_votes WHERE product_id = $1),
            (SELECT count(*) FROM reports WHERE product_id = $1),
            (SELECT count(*) FROM photos WHERE product_id = $1),
            (SELECT count(*) FROM idempotency_keys WHERE product_id = $1)] FROM reviews WHERE product_id = $1
        """,
        product.number,
    )
    return counts


def test_an_answer_that_fails_after_the_commit_writes_nothing_again(
    gateway: Gateway, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    product = shop.product()
    review = shop.review(product)
    settings = Settings(
        database_url=Secret(gateway.database), state=tmp_path_factory.mktemp("hasty"), statement_timeout_ms=300
    )
    sent = {"query": VOTE, "variables": {"input": {"reviewId": review}}}
    with running_gateway(settings) as hasty, locked(gateway.database, "product_figures"):
        answer = httpx.post(f"{hasty.url}/graphql", json=sent, timeout=30)
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "TIMEOUT"
    assert error["path"] == ["done", "review"]
    assert f"product:{product.number}" in answer.headers["changed"].split()
    assert written(gateway.database, product)[2:4] == [1, 1]
