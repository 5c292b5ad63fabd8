"""What the judge asks: valid documents of any schema, and small ones where the executions disagree."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from graphql import GraphQLSchema, extend_schema, parse, validate

from graphql_api.schema.build import build_schema
from tests.execution.comparing import Reply
from tests.execution.judge import Judge
from tests.execution.weather import CLEAR, Weather
from tests.harness.queries.cases import Case, cases_of
from tests.harness.queries.catalogue import Catalogue, Cursor
from tests.harness.queries.coverage import Coverage
from tests.harness.queries.document import ABSENT, Field, Fragment, Inline, Operation, Selection, Spread, Variable
from tests.harness.queries.reducing import reduced

SCHEMA = build_schema().graphql_schema
CATALOGUE = Catalogue(
    ids={"Product": ("1", "UHJvZHVjdDoy"), "Review": ("5",), "Photo": (), "Characteristic": ()},
    cursors=(Cursor("Y2F0YWxvZ3wwfDE", "catalog", None, None),),
    categories=("Kicks",),
)
NEW = """
extend type Product { rivals(most: Int = 3, near: Nearness!, wanted: [RivalFilter!]): [Product!] }
enum Nearness { NEAR FAR }
input RivalFilter { dearer: Boolean = true  exact: ID }
"""


def asked(schema: GraphQLSchema, documents: int) -> Coverage:
    random, coverage = Random(1), Coverage(schema)
    for _ in range(documents):
        for case in cases_of(schema, CATALOGUE, random):
            coverage.add(case, None)
    return coverage


def test_documents_are_valid() -> None:
    random = Random(1)
    texts = [cases_of(SCHEMA, CATALOGUE, random)[0].text for _ in range(300)]
    assert [(text, errors) for text in texts if (errors := validate(SCHEMA, parse(text)))] == []


def test_a_field_that_is_new_in_the_schema_is_asked_with_all_its_arguments() -> None:
    coverage = asked(extend_schema(SCHEMA, parse(NEW)), 700)
    assert [name for name in coverage.never_asked() if "ival" in name or "Nearness" in name] == []


def test_what_was_not_asked_is_missed() -> None:
    coverage = Coverage(extend_schema(SCHEMA, parse(NEW)))
    coverage.add(Case("{ product(id: 1) { rivals(most: 1, near: FAR) { name } } }", {}, None), {"product": None})
    missed = [name for name in coverage.never_asked() if "ival" in name or "Nearness" in name]
    assert missed == ["Nearness.NEAR", "Product.rivals(wanted:)", "RivalFilter.dearer", "RivalFilter.exact"]
    assert coverage.answered == {}


def test_what_became_null_was_not_answered() -> None:
    coverage = Coverage(SCHEMA)
    text = (
        "{ product(id: 1) { ... on Product { a: name slogan ...F } } } fragment F on Product { reviews { totalCount } }"
    )
    coverage.add(Case(text, {}, None), {"product": {"a": "Camo Onesie", "slogan": None, "reviews": {"totalCount": 0}}})
    assert set(coverage.answered) == {
        "Query.product",
        "Product.name",
        "Product.reviews",
        "ReviewConnection.totalCount",
    }


def leaf(name: str, alias: str | None = None) -> Field:
    return Field(name, alias, {}, [], None)


def test_a_failing_case_is_reduced_to_what_fails() -> None:
    product, size = Variable("id0", "ID!", ABSENT, "1"), Variable("first1", "Int", 3, 5)
    fragment = Fragment("F0", "Product", [leaf("name"), leaf("slogan", "a")])
    reviews = Field("reviews", "b", {"first": size}, [], [Field("nodes", None, {}, [], [leaf("body"), leaf("rating")])])
    below: list[Selection] = [Inline("Node", [], [leaf("id")]), Spread(fragment, [("skip", {"if": False})]), reviews]
    operations = [
        Operation("query", "Q0", [leaf("__typename"), Field("product", None, {"id": product}, [], [*below])]),
        Operation("query", "Q1", [Field("categories", None, {}, [], [leaf("name")])]),
    ]
    case = Case("", {"id0": "1", "first1": 5, "unasked": 1}, None, operations).again()
    assert "Q1" in case.text

    async def fails(one: Case) -> bool:
        return "slogan" in one.text and "rating" in one.text

    small = asyncio.run(reduced(SCHEMA, case, fails, seconds=60))
    assert " ".join(small.text.split()) == 'query { product(id: "1") { slogan reviews { nodes { rating } } } }'
    assert small.variables == {}


def run_with(altered: dict[str, Any]) -> str:
    """What the judge says of an execution that answers as the reference, but ``altered`` where a histogram is asked."""

    async def ask(cases: Sequence[Case], _weather: Weather) -> list[tuple[Reply, Reply]]:
        right = Reply(200, {"data": None})
        return [(Reply(200, altered) if "histogram" in case.text else right, right) for case in cases]

    return asyncio.run(Judge(SCHEMA, CATALOGUE, ask, [[CLEAR]]).run(1000, seed=1)).disagreement


def test_an_execution_that_answers_otherwise_is_caught_with_a_small_document() -> None:
    told = run_with({"data": {}})
    assert told.startswith("the data are not the same\n--- weather: clear\nquery")
    document = told.partition("--- weather: clear\n")[2].partition("# variables")[0]
    assert [line.strip(" {") for line in document.splitlines() if "}" not in line][-2:-1] == ["histogram"]
    assert len(document.split()) < 20


def test_an_execution_that_answers_alike_is_not_accused() -> None:
    assert run_with({"data": None}) == ""
