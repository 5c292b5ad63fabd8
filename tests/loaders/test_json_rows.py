"""What PostgreSQL writes as JSON is what orjson would write of the same values."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, DateTime, Integer, Numeric, SmallInteger, Text, column, select, true, values
from sqlalchemy.types import TypeEngine

from graphql_api.db.models import Characteristic, Product, Review
from graphql_api.schema import identity
from graphql_api.schema.scalars import serialize_datetime
from loaders.characteristics import CharacteristicsByProduct
from loaders.json_rows import (
    FoundRows,
    JsonChoice,
    JsonColumn,
    JsonFound,
    JsonId,
    JsonPart,
    JsonWord,
    json_column,
    json_objects,
    json_rows,
)
from loaders.statement import Statement
from tests.harness.gateway import Gateway

LARGEST = 2**63 - 1


def fetched(gateway: Gateway, statement: Statement) -> list[asyncpg.Record]:
    """All rows."""

    async def running() -> list[asyncpg.Record]:
        async with asyncpg.create_pool(gateway.database, min_size=1, max_size=1) as pool:
            return await statement.fetch(pool)

    return asyncio.run(running())


def written(gateway: Gateway, types: dict[str, TypeEngine[Any]], row: dict[str, Any], **parts: JsonPart) -> str:
    """The text of the object that shows ``parts`` of a row."""
    table = values(*(column(name, type_) for name, type_ in types.items()), name="t").data(
        [tuple(row[name] for name in types)]
    )
    statement = Statement("one row", select(json_objects(json_rows(tuple(parts.items())), table)))
    ((text,),) = fetched(gateway, statement)
    found: str = text
    return found


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_a_text_is_written_so_that_it_is_read_as_it_was(gateway: Gateway, text: str) -> None:
    found = written(gateway, {"body": Text()}, {"body": text}, body=JsonColumn("body"))
    assert orjson.loads(found) == {"body": text}


@pytest.mark.parametrize(
    "text", ['"', "\\", "/", "\b\f\n\r\t", "\x01\x1f\x7f", "é 你 👍 \u2028", "%s :x $1 {}", "", "null"]
)
def test_a_text_is_written_in_the_bytes_of_orjson(gateway: Gateway, text: str) -> None:
    found = written(gateway, {"body": Text()}, {"body": text}, body=JsonColumn("body"))
    assert found.encode() == orjson.dumps({"body": text})


def test_a_text_that_is_not_there_is_null(gateway: Gateway) -> None:
    assert written(gateway, {"body": Text()}, {"body": None}, body=JsonColumn("body")) == '{"body":null}'


@settings(max_examples=40, deadline=None)
@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_written_as_the_scalar_has_it(gateway: Gateway, moment: datetime) -> None:
    types: dict[str, TypeEngine[Any]] = {"at": DateTime(timezone=True)}
    assert written(gateway, types, {"at": moment}, at=JsonColumn("at")) == f'{{"at":"{serialize_datetime(moment)}"}}'


def test_numbers_bools_words_and_ids_stand_under_their_keys_in_their_order(gateway: Gateway) -> None:
    types: dict[str, TypeEngine[Any]] = {"a": SmallInteger(), "b": Integer(), "c": Boolean(), "d": BigInteger()}
    parts: dict[str, JsonPart] = {
        "stars": JsonColumn("a"),
        "__typename": JsonWord("Review"),
        "votes": JsonColumn("b"),
        "yes": JsonColumn("c"),
        "number": JsonColumn("d", is_id=True),
        "again": JsonColumn("a"),
    }
    found = written(gateway, types, {"a": 5, "b": 2**31 - 1, "c": True, "d": LARGEST}, **parts)
    assert found == (
        '{"stars":5,"__typename":"Review","votes":2147483647,"yes":true,"number":"9223372036854775807","again":5}'
    )
    assert written(gateway, {"c": Boolean()}, {"c": False}, c=JsonColumn("c")) == '{"c":false}'


@pytest.mark.parametrize("type_name", identity.COLUMNS)
@pytest.mark.parametrize("number", [0, 1, 12, 123, LARGEST])
def test_a_global_id_is_the_one_that_python_writes(gateway: Gateway, type_name: str, number: int) -> None:
    columns = identity.COLUMNS[type_name]
    types = dict.fromkeys(columns, BigInteger())
    found = written(gateway, types, dict.fromkeys(columns, number), id=JsonId(type_name, columns))
    assert orjson.loads(found) == {"id": identity.encode(type_name, *[number] * len(columns))}


@pytest.mark.parametrize(
    ("name", "scalar", "nullable", "expected"),
    [
        ("body", "String", False, JsonColumn("body")),
        ("response", "String", True, JsonColumn("response")),
        ("response", "String", False, None),
        ("rating", "Int", False, JsonColumn("rating")),
        ("review_id", "Int", False, None),
        ("review_id", "ID", False, JsonColumn("review_id", is_id=True)),
        ("created_at", "DateTime", False, JsonColumn("created_at")),
        ("relevance", "Float", False, None),
        ("rating", "String", False, None),
    ],
)
def test_a_column_is_written_only_where_its_type_says_how(
    name: str, scalar: str, nullable: bool, expected: JsonColumn | None
) -> None:
    assert json_column(Review.__table__.c[name], scalar, nullable=nullable) == expected


def test_a_price_is_left_to_python() -> None:
    assert isinstance(Product.__table__.c.default_price.type, Numeric)
    assert json_column(Product.__table__.c.default_price, "Decimal", nullable=True) is None


def test_equal_rows_are_the_same_so_that_they_share_a_loader() -> None:
    one, other = (json_rows((("a", JsonColumn("rating")), ("b", JsonWord("x")))) for _ in range(2))
    assert one is other
    assert one is not json_rows((("a", JsonColumn("rating")),))


def test_a_word_of_a_choice_is_written_whatever_is_in_it(gateway: Gateway) -> None:
    words = {"SIZE": ["5\" \\ 'it's'", "½ :x $1 %s"]}
    choice = JsonChoice(orjson.dumps(words).decode(), "kind", "value")
    rows = json_rows((("label", JsonFound(CharacteristicsByProduct, "characteristic_id", choice)),))
    sizes = select(Characteristic.product_id, Characteristic.characteristic_id).where(Characteristic.kind == "SIZE")
    product = sizes.limit(1).subquery("product")
    numbers = values(column("value", SmallInteger()), name="numbers").data([(1,), (2,)])
    rated = select(product.c.characteristic_id, numbers.c.value).correlate(product).subquery("rated")
    found = FoundRows(rows, product)
    shown = select(json_objects(rows, rated, found).label("text")).select_from(found.joined(rated))
    labels = shown.correlate(product).lateral("labels")
    statement = Statement("labels", select(labels.c.text).select_from(product.join(labels, true())))
    texts = [record[0] for record in fetched(gateway, statement)]
    assert {orjson.loads(text)["label"] for text in texts} == set(words["SIZE"])
