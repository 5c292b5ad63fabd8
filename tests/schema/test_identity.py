"""Ids: what is written is read again, whatever else comes as one names nothing, and everything is found by its own."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphql_api.schema.identity import MAX_NUMBER, NUMBERS, decode, encode, numbers_of, own_number, plain_number
from tests.harness.databases import value
from tests.harness.gateway import Gateway
from tests.harness.shop import OwnProduct, Shop

PLAIN = st.integers(0, MAX_NUMBER)
IDS = st.sampled_from(sorted(NUMBERS)).flatmap(
    lambda type_name: st.tuples(st.just(type_name), st.tuples(*[PLAIN] * NUMBERS[type_name]))
)


def spelt(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# --- As text


@given(named=IDS)
def test_a_global_id_is_read_as_it_was_written(named: tuple[str, tuple[int, ...]]) -> None:
    type_name, numbers = named
    assert decode(encode(type_name, *numbers)) == (type_name, numbers)


@given(one=IDS, other=IDS)
def test_different_things_have_different_ids(
    one: tuple[str, tuple[int, ...]], other: tuple[str, tuple[int, ...]]
) -> None:
    assert (encode(one[0], *one[1]) == encode(other[0], *other[1])) == (one == other)


@given(text=st.text(max_size=150) | st.text("ABCDabcd0123-_=+/:", max_size=150))
def test_text_that_was_not_written_here_is_no_global_id(text: str) -> None:
    assert decode(text) is None


@given(text=st.from_regex(r"(Product|Characteristic|Review|Photo|Node)(:[0-9+_ -]{0,20}){0,4}", fullmatch=True))
@example("Product:1")
def test_what_is_read_has_the_spelling_that_would_be_written(text: str) -> None:
    decoded = decode(spelt(text))
    assert decoded is None or encode(decoded[0], *decoded[1]) == spelt(text)


@pytest.mark.parametrize(
    "text",
    [
        "Product",
        "Product:",
        "Product:x",
        "Product:01",
        "Product:-1",
        "Product:+1",
        "Product: 1",
        "Product:1 ",
        "Product:1\n",
        "Product:1_0",
        "Product:1.0",
        "Product:1:2",
        "Product:\u0661",
        f"Product:{2**63}",
        f"Product:{10**30}",
        "product:1",
        "Review:1",
        "Review:1:2:3",
        "Photo:1:2",
        "Characteristic:1",
        "Category:1",
        "Query:1",
        "",
    ],
)
def test_a_text_of_another_form_is_no_global_id(text: str) -> None:
    assert decode(spelt(text)) is None


@pytest.mark.parametrize("changed", ["{}=", "{}==", "{} ", " {}", "{}\n", "{}\x00", "{}A", "é{}", "{}\ud800"])
def test_a_global_id_with_anything_added_is_none(changed: str) -> None:
    assert decode(changed.format(encode("Product", 71701))) is None


def test_another_spelling_of_the_same_bytes_is_no_global_id() -> None:
    global_id = encode("Product", 12)  # "Product:12" ends four bits into its last character
    assert global_id == "UHJvZHVjdDoxMg"
    assert base64.urlsafe_b64decode("UHJvZHVjdDoxMh==") == b"Product:12"
    assert decode("UHJvZHVjdDoxMh") is None


@given(number=PLAIN)
def test_a_plain_number_is_read_as_it_is_spelt(number: int) -> None:
    assert plain_number(str(number)) == number


@given(number=st.integers(min_value=2**63) | st.integers(max_value=-1))
def test_a_number_that_no_column_can_hold_is_none(number: int) -> None:
    assert plain_number(str(number)) is None


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", " 1", "1 ", "1\n", "1.0", "1e3", "0x1", "1_0", "\u0661", "\u00b2"]
)
def test_a_number_in_another_spelling_is_none(text: str) -> None:
    assert plain_number(text) is None


@given(named=IDS, product=PLAIN)
def test_an_id_gives_its_numbers_to_its_own_type_and_product_alone(
    named: tuple[str, tuple[int, ...]], product: int
) -> None:
    type_name, numbers = named
    global_id = encode(type_name, *numbers)
    for asked in NUMBERS:
        assert numbers_of(asked, global_id) == (numbers if asked == type_name else None)
        assert numbers_of(asked, str(numbers[0])) == (numbers[0],)
    assert own_number(type_name, global_id, numbers[0]) == numbers[-1]
    if len(numbers) > 1 and product != numbers[0]:
        assert own_number(type_name, global_id, product) is None


# --- Over HTTP

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
PRODUCT = "query ($id: ID!) { product(id: $id) { id productId } }"
PRODUCTS = "query ($ids: [ID!]!) { products(ids: $ids) { productId } }"
REVIEW = "query ($id: ID!) { review(id: $id) { id reviewId } }"

NOTHING = [
    "",
    "x",
    "007",
    "-1",
    "1.5",
    "1e2",
    " 1",
    "0",
    "99999999",
    str(2**63 - 1),
    str(2**63),
    str(10**30),
    "9" * 5000,
    "\x00",
    "\u0661",
    "null",
    encode("Product", 99_999_999),
    encode("Product", 2**63 - 1),
    encode("Product", 1) + "=",
    spelt("Product:01"),
    spelt("Product:-1"),
    spelt(f"Product:{2**63}"),
    spelt("Category:1"),
    encode("Characteristic", 1, 1),
    encode("Photo", 2, 5, 1),
]


class Stock:
    """A product with one of everything, twice: in a visible review and in a reported one."""

    def __init__(self, gateway: Gateway) -> None:
        shop = Shop(gateway.database)
        self.product: OwnProduct = shop.product("FIT")
        rated: dict[str, Any] = {"photos": 1, "values": {"FIT": 4}}
        self.review, self.reported = shop.reviews(self.product, [rated, {**rated, "reported": True}])
        photo = "SELECT photo_id FROM photos WHERE product_id = $1 AND review_id = $2"
        number = self.product.number
        self.photo = value(gateway.database, photo, number, self.review)
        self.reported_photo = value(gateway.database, photo, number, self.reported)
        self.product_id = encode("Product", number)
        self.review_id = encode("Review", number, self.review)
        self.photo_id = encode("Photo", number, self.review, self.photo)
        self.characteristic_id = encode("Characteristic", number, self.product.characteristics["FIT"])


@pytest.fixture(scope="module")
def stock(gateway: Gateway) -> Stock:
    return Stock(gateway)


def test_everything_says_the_id_that_it_is_found_by(gateway: Gateway, stock: Stock) -> None:
    answer = gateway.data(
        """query ($id: ID!) { product(id: $id) {
          id characteristics { id characteristicId }
          reviews { nodes { id reviewId photos { id photoId } } } reviewPhotos { nodes { id photoId } }
        } }""",
        id=str(stock.product.number),
    )["product"]
    photo = {"id": stock.photo_id, "photoId": str(stock.photo)}
    assert answer == {
        "id": stock.product_id,
        "characteristics": [
            {"id": stock.characteristic_id, "characteristicId": str(stock.product.characteristics["FIT"])}
        ],
        "reviews": {"nodes": [{"id": stock.review_id, "reviewId": str(stock.review), "photos": [photo]}]},
        "reviewPhotos": {"nodes": [photo]},
    }


def test_nodes_of_every_type_come_in_the_order_asked_with_null_for_the_unknown(gateway: Gateway, stock: Stock) -> None:
    ids = {
        stock.photo_id: "Photo",
        stock.characteristic_id: "Characteristic",
        stock.review_id: "Review",
        stock.product_id: "Product",
    }
    asked = [*ids, "x", encode("Product", 99_999_999), *reversed(ids)]
    nodes = [{"__typename": type_name, "id": id_} for id_, type_name in ids.items()]
    assert gateway.data(NODES, ids=asked)["nodes"] == [*nodes, None, None, *reversed(nodes)]
    assert [gateway.data(NODE, id=id_)["node"] for id_ in ids] == nodes


def test_a_node_shows_the_fields_of_its_type(gateway: Gateway, stock: Stock) -> None:
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on Product { productId } ... on Review { reviewId product { productId } }
      ... on Photo { photoId review { reviewId } } ... on Characteristic { characteristicId count }
    } }"""
    ids = [stock.product_id, stock.review_id, stock.photo_id, stock.characteristic_id]
    product, review = str(stock.product.number), str(stock.review)
    assert gateway.data(query, ids=ids)["nodes"] == [
        {"productId": product},
        {"reviewId": review, "product": {"productId": product}},
        {"photoId": str(stock.photo), "review": {"reviewId": review}},
        {"characteristicId": str(stock.product.characteristics["FIT"]), "count": 1},
    ]


def test_a_plain_number_is_no_node(gateway: Gateway) -> None:
    assert gateway.data(NODE, id="1") == {"node": None}
    assert gateway.data(NODES, ids=["1", encode("Product", 1), "2"])["nodes"] == [
        None,
        {"__typename": "Product", "id": encode("Product", 1)},
        None,
    ]


@pytest.mark.parametrize("id_", [text for text in NOTHING if decode(text) is None or "99999999" in text])
def test_an_id_of_nothing_is_a_node_of_null(gateway: Gateway, id_: str) -> None:
    assert gateway.data(NODE, id=id_) == {"node": None}


def test_a_product_is_found_by_its_number_and_by_its_global_id(gateway: Gateway, stock: Stock) -> None:
    number = str(stock.product.number)
    expected = {"product": {"id": stock.product_id, "productId": number}}
    assert [gateway.data(PRODUCT, id=id_) for id_ in (number, stock.product.number, stock.product_id)] == [expected] * 3


def test_a_review_is_found_by_its_number_and_by_its_global_id(gateway: Gateway, stock: Stock) -> None:
    number = str(stock.review)
    expected = {"review": {"id": stock.review_id, "reviewId": number}}
    assert [gateway.data(REVIEW, id=id_) for id_ in (number, stock.review, stock.review_id)] == [expected] * 3


def test_products_take_numbers_and_global_ids_together(gateway: Gateway) -> None:
    ids = ["3", encode("Product", 2), *NOTHING, encode("Review", 2, 3), 3]
    expected = [{"productId": "3"}, {"productId": "2"}, *[None] * len(NOTHING), None, {"productId": "3"}]
    assert gateway.data(PRODUCTS, ids=ids)["products"] == expected


@pytest.mark.parametrize("id_", [*NOTHING, encode("Review", 2, 3)])
def test_an_id_of_nothing_is_a_product_of_null(gateway: Gateway, id_: str) -> None:
    assert gateway.data(PRODUCT, id=id_) == {"product": None}


@pytest.mark.parametrize(
    "id_", [*NOTHING, encode("Product", 2), encode("Review", 1, 3), encode("Review", 2, 2**63 - 1)]
)
def test_an_id_of_nothing_is_a_review_of_null(gateway: Gateway, id_: str) -> None:
    assert gateway.data(REVIEW, id=id_) == {"review": None}


def test_a_node_below_another_product_is_null(gateway: Gateway, stock: Stock) -> None:
    number = stock.product.number
    ids = [
        encode("Review", 1, stock.review),
        encode("Photo", 1, stock.review, stock.photo),
        encode("Photo", number, stock.reported, stock.photo),
        encode("Characteristic", 1, stock.product.characteristics["FIT"]),
    ]
    assert gateway.data(NODES, ids=ids)["nodes"] == [None] * 4


def test_a_reported_review_and_its_photo_are_null(gateway: Gateway, stock: Stock) -> None:
    number = stock.product.number
    review = encode("Review", number, stock.reported)
    photo = encode("Photo", number, stock.reported, stock.reported_photo)
    assert gateway.data(NODES, ids=[review, photo])["nodes"] == [None, None]
    assert [gateway.data(REVIEW, id=id_)["review"] for id_ in (review, str(stock.reported))] == [None, None]


@pytest.mark.parametrize(("field", "query"), [("nodes", NODES), ("products", PRODUCTS)])
def test_a_hundred_ids_are_looked_up_and_not_one_more(gateway: Gateway, field: str, query: str) -> None:
    ids = [encode("Product", number % 10 + 1) for number in range(100)]
    answers = gateway.data(query, ids=ids)[field]
    assert [answer is None for answer in answers] == [False] * 100
    refused = gateway.send(query, ids=[*ids, "1"])
    assert refused["data"] is None
    assert gateway.refusal(query, ids=[*ids, "1"]) == (
        "BAD_USER_INPUT",
        "`ids` holds 101 ids: at most 100 are looked up at a time.",
    )


@pytest.mark.parametrize(("field", "query"), [("nodes", NODES), ("products", PRODUCTS)])
def test_no_ids_are_no_things(gateway: Gateway, field: str, query: str) -> None:
    assert gateway.data(query, ids=[]) == {field: []}
