"""Each limit of the README's table: its default, that what is at it passes, and that one more is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import get_introspection_query

from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
SCALARS = ("name", "slogan", "description", "category", "defaultPrice", "productId", "id")
FEW = {
    "max_body_bytes": 4096,
    "max_url_bytes": 1024,
    "max_document_bytes": 2000,
    "max_spreads": 6,
    "max_directives": 7,
    "max_depth": 15,
    "max_fields": 100,
    "max_root_fields": 3,
    "max_aliases": 4,
    "max_equal_fields": 8,
    "max_variables_bytes": 2000,
    "max_variables_depth": 3,
    "max_list": 100,
}
"""Limits that a short text reaches. Tokens have a gateway of their own: what reaches the others has more."""
TOKENS = 120

Body = dict[str, Any]


def of_product(fields: str) -> Body:
    return {"query": f"{{ product(id: 1) {{ {fields} }} }}"}


def bytes_of_document(count: int) -> Body:
    text = "{ product(id: 1) { name } } #"
    return {"query": text + "é" * ((count - len(text)) // 2) + "x" * ((count - len(text)) % 2)}


def tokens(count: int) -> Body:
    return of_product(" ".join(islice(cycle(SCALARS), count - 10)))


def spreads(count: int) -> Body:
    parts = " ".join(f"fragment F{n} on Product {{ {SCALARS[n]} }}" for n in range(count))
    return {"query": f"{{ product(id: 1) {{ {' '.join(f'...F{n}' for n in range(count))} }} }} {parts}"}


def directives(count: int) -> Body:
    asked = [*SCALARS, "__typename"][:count]
    return of_product(" ".join(f"{name} @include(if: true)" for name in asked))


def levels(count: int) -> Body:
    """As many levels, those beyond the third in a fragment."""
    below = list(islice(cycle(["reviews(first: 1)", "nodes", "product"]), 2, count - 2))
    text = "".join(f"{name} {{ " for name in below) + "__typename" + " }" * len(below)
    asked = "{ product(id: 1) { reviews(first: 1) { nodes { ...F } } } }"
    return {"query": f"{asked} fragment F on Review {{ {text} }}"}


def fields(count: int) -> Body:
    """As many fields, twenty of them in a fragment of ten that is spread twice."""
    inside = "rating summary body recommended reviewerName createdAt helpfulness response id reviewId"
    own = " ".join(SCALARS * 5)
    more = " ".join(islice(cycle(inside.split()), count - 3 - len(SCALARS) * 5 - 20))
    asked = f"{{ product(id: 1) {{ {own} reviews(first: 1) {{ nodes {{ ...F ...F {more} }} }} }} }}"
    return {"query": f"{asked} fragment F on Review {{ {inside} }}"}


def root_fields(count: int) -> Body:
    return {"query": f"{{ {' '.join(f'a{n}: __typename' for n in range(count))} }}"}


def aliases(count: int) -> Body:
    return of_product(" ".join(f"a{n}: name" for n in range(count)))


def equal_fields(count: int) -> Body:
    """As many fields of one name, the last of them in a fragment."""
    asked = f"{{ product(id: 1) {{ {'name ' * (count - 1)} ...F }} }}"
    return {"query": f"{asked} fragment F on Product {{ name }}"}


def objects(count: int) -> Body:
    """A page of a hundred, each with 97 reviews, and what is missing to so many objects."""
    many = "catalog(first: 100) { nodes { reviews(first: 97) { nodes { id } } } }"
    return {"query": f"{{ {many} product(id: 1) {{ reviews(first: {count - 9901 - 2}) {{ nodes {{ id }} }} }} }}"}


def variables(value: Any) -> Body:
    return {"query": "query ($id: ID!) { product(id: $id) { name } }", "variables": {"id": "1", "unused": value}}


def bytes_of_variables(count: int) -> Body:
    empty = len(json.dumps(variables("")["variables"], separators=(",", ":")))
    return variables("x" * (count - empty))


def nested(count: int) -> Body:
    value: Any = 1
    for _ in range(count - 1):
        value = [value]
    return variables(value)


class Limit(NamedTuple):
    """Its field in the settings, and what asks for so much of it."""

    field: str
    asking: Callable[[int], Body]


LIMITS = {
    "bytes of a document": Limit("max_document_bytes", bytes_of_document),
    "tokens of a document": Limit("max_tokens", tokens),
    "places that spread a fragment": Limit("max_spreads", spreads),
    "directives": Limit("max_directives", directives),
    "levels of fields": Limit("max_depth", levels),
    "fields": Limit("max_fields", fields),
    "root fields": Limit("max_root_fields", root_fields),
    "aliases": Limit("max_aliases", aliases),
    "fields that are one in the answer": Limit("max_equal_fields", equal_fields),
    "bytes of the variables": Limit("max_variables_bytes", bytes_of_variables),
    "lists and objects of variables in each other": Limit("max_variables_depth", nested),
    "items of a list of variables": Limit("max_list", lambda count: variables([1] * count)),
    "objects of an answer, counted before it is made": Limit("max_cost", objects),
}
BY_HTTP = {"bytes of a body": "max_body_bytes", "bytes of a path with its query string": "max_url_bytes"}
OF_THE_CONTRACT: dict[str, tuple[int, Callable[[int], Body]]] = {
    "items of a page": (100, lambda count: of_product(f"reviews(first: {count}) {{ totalCount }}")),
    "ids of one look-up": (
        100,
        lambda count: {"query": f"{{ products(ids: {json.dumps([str(n) for n in range(1, count + 1)])}) {{ name }} }}"},
    ),
    "characters of a search": (
        200,
        lambda count: of_product(f'reviews(filter: {{ search: "{"x" * count}" }}) {{ totalCount }}'),
    ),
}


class Row(NamedTuple):
    """A row of the README's table."""

    what: str
    most: int
    setting: str
    code: str


def rows_of_the_table() -> dict[str, Row]:
    table = README.split("## Limits")[1].split("## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if "`" in line and line[0] == "|"
    ]
    return {
        what: Row(what, int(most.replace(",", "")), setting.strip("`"), code) for what, most, setting, code in cells
    }


TABLE = rows_of_the_table()


def code_of(row: Row) -> str:
    return re.findall(r"`(\w+)`", row.code)[0]


@pytest.fixture(scope="module")
def limited(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with limits that are easily reached."""
    settings = Settings(
        database_url=Secret(gateway.database), state=tmp_path_factory.mktemp("limited"), documents="any"
    )
    with running_gateway(replace(settings, **FEW)) as running:  # type: ignore[arg-type] # names of its fields
        yield running


@pytest.fixture(scope="module")
def of_few_tokens(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that takes short documents."""
    settings = Settings(database_url=Secret(gateway.database), state=tmp_path_factory.mktemp("tokens"), documents="any")
    with running_gateway(replace(settings, max_tokens=TOKENS)) as running:
        yield running


def answered(gateway: Gateway, body: Body) -> str | None:
    """The code of the one error, or ``None``."""
    response = gateway.http.post("/graphql", json=body)
    errors = response.json().get("errors", [])
    assert len(errors) <= 1, errors
    return errors[0]["extensions"]["code"] if errors else None


def test_the_table_has_every_limit_with_its_default() -> None:
    defaults = {knob.metadata["variable"]: knob.default for knob in dataclasses.fields(Settings)}
    names = {knob.name: knob.metadata["variable"] for knob in dataclasses.fields(Settings)}
    expected = {what: names[limit.field] for what, limit in LIMITS.items()}
    expected |= {what: names[field] for what, field in BY_HTTP.items()}
    assert {what: row.setting for what, row in TABLE.items() if row.setting} == expected
    assert {what: row.most for what, row in TABLE.items() if row.setting} == {
        what: defaults[variable] for what, variable in expected.items()
    }
    assert {what: row.most for what, row in TABLE.items() if not row.setting} == {
        what: most for what, (most, _) in OF_THE_CONTRACT.items()
    }


@pytest.mark.parametrize("what", LIMITS)
def test_what_is_at_a_limit_passes_and_one_more_is_refused(limited: Gateway, of_few_tokens: Gateway, what: str) -> None:
    field, asking = LIMITS[what]
    if field == "max_tokens":
        asked, most = of_few_tokens, TOKENS
    else:
        asked, most = limited, FEW.get(field, getattr(Settings(), field))
    assert answered(asked, asking(most)) is None
    assert answered(asked, asking(most + 1)) == code_of(TABLE[what])


@pytest.mark.parametrize("levels", [254, 255, 800])
def test_variables_that_are_read_and_could_not_be_written_are_refused_as_others(gateway: Gateway, levels: int) -> None:
    most = Settings().max_variables_depth
    message = f"The variables have more than {most} lists and objects in each other."
    body = nested(levels)
    assert gateway.refusal(body["query"], **body["variables"]) == ("BAD_USER_INPUT", message)


@pytest.mark.parametrize("what", OF_THE_CONTRACT)
def test_so_it_is_with_the_limits_of_the_contract(gateway: Gateway, what: str) -> None:
    most, asking = OF_THE_CONTRACT[what]
    assert answered(gateway, asking(most)) is None
    assert answered(gateway, asking(most + 1)) == code_of(TABLE[what])


def test_so_it_is_with_bodies_and_addresses(limited: Gateway) -> None:
    body = json.dumps(of_product("name"))
    path = "/graphql?query={product(id:1){name}}&unused="
    for more, status in ((0, 200), (1, None)):
        padded = body + " " * (FEW["max_body_bytes"] - len(body) + more)
        response = limited.http.post("/graphql", content=padded, headers={"Content-Type": "application/json"})
        expected = TABLE["bytes of a body"].code
        assert response.status_code == (status or int(expected.split()[0]))
        assert status or response.json()["errors"][0]["extensions"]["code"] in expected
        # The question mark is of neither part.
        response = limited.http.get(path + "x" * (FEW["max_url_bytes"] + 1 - len(path) + more))
        expected = TABLE["bytes of a path with its query string"].code
        assert response.status_code == (status or int(expected.split()[0]))
        assert status or response.json()["errors"][0]["extensions"]["code"] in expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ product(id: 1) { ...A } } fragment A on Product { name ...A }", "The fragment A spreads itself."),
        (
            "{ product(id: 1) { ...A } } fragment A on Product { ...B } fragment B on Product { ...A }",
            "The fragment A spreads itself.",
        ),
        (
            "{ product(id: 1) { ...F0 } } "
            + " ".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(24))
            + " fragment F24 on Product { ...F25 }",
            "The document has more than 2000 fragments, each counted wherever it is spread: send it in parts.",
        ),
    ],
)
def test_fragments_that_spread_without_end_are_refused(gateway: Gateway, text: str, message: str) -> None:
    assert gateway.refusal(text) == ("GRAPHQL_VALIDATION_FAILED", message)


MANY = "fragment F on Product { " + "reviews { totalCount } " * 51 + "}"


def test_a_fragment_that_nobody_spreads_is_counted_all_the_same(gateway: Gateway) -> None:
    assert gateway.refusal("{ categories { name } } " + MANY) == (
        "GRAPHQL_VALIDATION_FAILED",
        "The document has more than 50 fields that are one in the answer, reviews: send it in parts.",
    )


def test_a_fragment_does_not_hide_behind_another_of_its_name(gateway: Gateway) -> None:
    assert gateway.refusal("{ product(id: 1) { ...F } } " + MANY + " fragment F on Product { name }") == (
        "GRAPHQL_VALIDATION_FAILED",
        "There can be only one fragment named 'F'.",
    )


def test_what_graphiql_asks_is_within_the_limits(gateway: Gateway) -> None:
    assert gateway.data(get_introspection_query(input_value_deprecation=True))["__schema"]["types"]
