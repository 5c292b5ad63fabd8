"""What a gateway in production, or one that trusts documents of files alone, tells and does of anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from graphql import get_introspection_query

from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway

REFUSAL = ("BAD_REQUEST", "Only the documents of the shop's own front ends are run here: send the id of one.")


@pytest.fixture(scope="module")
def production(gateway: Gateway) -> Iterator[Gateway]:
    """A gateway as one setting makes it."""
    settings = Settings.from_environment({"REVIEWS_PRODUCTION": "true"})
    with running_gateway(replace(settings, database_url=Secret(gateway.database))) as running:
        yield running


@pytest.fixture(scope="module")
def trusting(gateway: Gateway) -> Iterator[Gateway]:
    """A gateway that runs documents of files alone."""
    settings = Settings(database_url=Secret(gateway.database), documents="trusted", graphiql=False)
    with running_gateway(settings) as running:
        yield running


def test_the_schema_cannot_be_asked_for_in_production(gateway: Gateway, production: Gateway) -> None:
    query = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    assert "__schema" in gateway.data(query)
    errors = production.send(query)["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert "introspection has been disabled" in errors[0]["message"].lower()


def test_errors_suggest_nothing_in_production(gateway: Gateway, production: Gateway) -> None:
    assert "Did you mean" in gateway.refusal("{ product(id: 1) { nam } }")[1]
    assert production.refusal("{ product(id: 1) { nam } }") == (
        "GRAPHQL_VALIDATION_FAILED",
        "Cannot query field 'nam' on type 'Product'.",
    )


def test_there_is_no_graphiql_in_production(production: Gateway) -> None:
    assert "html" not in production.http.get("/graphql", headers={"Accept": "text/html"}).headers["content-type"]


@pytest.mark.parametrize(
    "text",
    ["{ product(id: 1) { name } }", "{ this is no document", "{" * 30_000, "{ " + "categories { name } " * 1500 + "}"],
)
def test_any_other_text_gets_one_refusal_where_only_files_are_trusted(text: str, trusting: Gateway) -> None:
    # Parsing would tell these apart: by a syntax error, too many brackets or too many tokens.
    assert trusting.refusal(text) == REFUSAL
