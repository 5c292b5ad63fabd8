"""The cost of a document: the objects that its answer could hold, counted before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from graphql_api.limits.cost import Cost
from graphql_api.schema.build import build_schema
from graphql_api.schema.objects import objects_of
from tests.documents.test_documents import DOCUMENTS
from tests.harness.gateway import Gateway

OBJECTS = objects_of(build_schema().graphql_schema)


def cost(text: str, limit: int = 1_000_000, **variables: Any) -> int:
    document = parse(text)
    (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return Cost(document, variables, limit, OBJECTS).of(operation)


@pytest.mark.parametrize(
    ("text", "variables", "objects"),
    [
        ("{ product(id: 1) { name } }", {}, 1),
        ("{ product(id: 1) { a: ratingSummary { average } characteristics { kind } } }", {}, 12),
        ("{ product(id: 1) { reviews { nodes { photos { url } } } } }", {}, 1 + 1 + 5 * (1 + 5)),
        ("{ product(id: 1) { reviews(first: 7) { edges { node { rating } } } } }", {}, 1 + 1 + 7 * 2),
        ("query ($n: Int) { product(id: 1) { reviews(last: $n) { nodes { rating } } } }", {"n": 3}, 1 + 1 + 3),
        ("query ($n: Int = 9) { product(id: 1) { reviews(first: $n) { nodes { rating } } } }", {}, 1 + 1 + 9),
        ("query ($n: Int = 9) { product(id: 1) { reviews(first: $n) { nodes { rating } } } }", {"n": None}, 1 + 1 + 5),
        ("query ($ids: [ID!]!) { products(ids: $ids) { name } }", {"ids": ["1", "2"]}, 2),
        ('{ products(ids: ["1", "2", "3"]) { ratingSummary { count } } }', {}, 6),
        ("{ catalog(first: 1000000) { nodes { name } } }", {}, 1 + 100),
        ("{ product(id: 1) { ...F ...F } } fragment F on Product { ratingSummary { count } }", {}, 3),
        ("{ product(id: 1) { ... on Product { ratingSummary { count } } } }", {}, 2),
        ("{ __schema { types { name } } }", {}, 0),
    ],
)
def test_objects_are_counted_with_their_page_sizes(text: str, variables: dict[str, Any], objects: int) -> None:
    assert cost(text, **variables) == objects


def test_fragments_that_double_each_other_are_counted_without_walking_them_all() -> None:
    doubling = " ".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    assert (
        cost(f"{{ product(id: 1) {{ ...F0 }} }} {doubling} fragment F60 on Product {{ characteristics {{ kind }} }}")
        > 10**6
    )


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("ProductPage", {"id": "1", "first": 100}),
        ("MoreReviews", {"id": "1", "first": 100}),
        ("ProductCards", {"ids": ["1"] * 100}),
        ("AddReview", {}),
        ("MarkReviewHelpful", {}),
        ("ReportReview", {}),
    ],
)
def test_the_front_ends_documents_are_within_the_limit_with_their_largest_pages(
    name: str, variables: dict[str, Any]
) -> None:
    assert cost(DOCUMENTS[name], **variables) < 10_000


def test_a_document_that_multiplies_pages_is_refused_at_once(gateway: Gateway) -> None:
    nested = "{ review(id: 1) {" + " product { reviews { nodes {" * 6 + " id" + " } } }" * 6 + " } }"
    code, message = gateway.refusal(nested)
    assert code == "COST_LIMIT_EXCEEDED"
    assert message == "The answer could hold more than 10000 objects: ask for smaller pages or fewer levels."


def test_a_document_of_too_many_tokens_is_refused_before_it_is_parsed(gateway: Gateway) -> None:
    code, message = gateway.refusal("{ " + "categories { name } " * 400 + "}")
    assert code == "GRAPHQL_PARSE_FAILED"
    assert "more that 1000 tokens" in message or "more than 1000 tokens" in message


def test_a_page_size_that_is_spelt_as_a_float_counts_as_what_it_is(gateway: Gateway) -> None:
    query = """
        query ($n: Int) { product(id: "1") { reviews(first: $n) { nodes { product { reviews(first: $n) {
          nodes { product { reviews(first: $n) { nodes { rating } } } }
        } } } } } }
    """
    for size in (100, 100.0):
        assert gateway.refusal(query, n=size)[0] == "COST_LIMIT_EXCEEDED"
