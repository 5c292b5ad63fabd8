"""The search in reviews: which words a text has, which of them a search asks for, and what can do no harm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.gateway import Gateway
from tests.harness.review_lists import SORTS, listed
from tests.harness.shop import START, OwnProduct, Shop

SEARCH = """
query ($product: ID!, $search: String!, $sort: ReviewSort) {
  product(id: $product) {
    reviews(first: 100, sort: $sort, filter: {search: $search}) { totalCount nodes { reviewId } }
  }
}
"""


def found(gateway: Gateway, product: OwnProduct, search: str, **arguments: Any) -> list[int]:
    """The numbers of the reviews that a search finds; the total agrees."""
    answer = gateway.data(SEARCH, product=str(product.number), search=search, **arguments)
    connection = answer["product"]["reviews"]
    assert connection["totalCount"] == len(connection["nodes"])
    return [int(node["reviewId"]) for node in connection["nodes"]]


def finds(gateway: Gateway, shop: Shop, text: str, search: str) -> bool:
    """Whether ``search`` finds a review whose body is ``text``, and not the one beside it."""
    product = shop.product()
    number, _ = shop.reviews(product, [{"body": text}, {"body": "Quite beside it.", "summary": "Beside"}])
    answer = found(gateway, product, search)
    assert answer in ([number], [])
    return answer == [number]


# --- The words


@pytest.mark.parametrize(
    ("search", "places"),
    [
        ("warm winter coat", [0]),
        ("coat winter warm", [0]),
        ("WARM Coat", [0]),
        ("coat and winter", [0]),
        ("warm warm warm", [0, 2]),
        ("  warm  ", [0, 2]),
        ("coat for", [0, 1]),
        ("for", [0, 1, 2]),
        ("warm coat autumn", []),
        ("warm coats", []),
    ],
)
def test_every_word_must_occur_in_the_summary_or_the_body_in_any_order(
    gateway: Gateway, shop: Shop, search: str, places: list[int]
) -> None:
    product = shop.product()
    texts = [("Warm coat", "For winter and spring."), ("Cold coat", "For summer."), ("Warm", "For autumn.")]
    numbers = shop.reviews(product, [{"summary": summary, "body": body} for summary, body in texts])
    assert found(gateway, product, search, sort="NEWEST") == [numbers[place] for place in reversed(places)]


@pytest.mark.parametrize(("search", "expected"), [("comf", True), ("very comf", True), ("comf very", False)])
def test_the_last_word_alone_is_the_beginning_of_a_word(
    gateway: Gateway, shop: Shop, search: str, expected: bool
) -> None:
    assert finds(gateway, shop, "Very comfortable.", search) is expected


@pytest.mark.parametrize("search", ["omfortable", "fortable", "comfortables"])
def test_a_word_is_not_found_by_its_middle_or_by_more_than_itself(gateway: Gateway, shop: Shop, search: str) -> None:
    assert not finds(gateway, shop, "Very comfortable.", search)


@pytest.mark.parametrize(
    ("text", "search"),
    [("It runs large.", "running"), ("I was running.", "runs"), ("Two shoes", "shoe two"), ("I loved it", "loves")],
)
def test_words_are_not_reduced_to_their_stems(gateway: Gateway, shop: Shop, text: str, search: str) -> None:
    assert not finds(gateway, shop, text, search)


@pytest.mark.parametrize("search", ["the", "it is the", "not", "and not the"])
def test_no_word_is_too_common_to_be_found(gateway: Gateway, shop: Shop, search: str) -> None:
    assert finds(gateway, shop, "The fit: it is, and is not.", search)


def test_a_common_word_that_does_not_occur_is_asked_for_all_the_same(gateway: Gateway, shop: Shop) -> None:
    assert not finds(gateway, shop, "Great fit", "the fit")


@pytest.mark.parametrize(
    ("text", "search"),
    [("GREAT", "great"), ("great", "GREAT"), ("ÉLÉGANT", "élégant"), ("élégant", "ÉLÉ"), ("ОТЛИЧНО", "отлично")],
)
def test_capitals_do_not_matter(gateway: Gateway, shop: Shop, text: str, search: str) -> None:
    assert finds(gateway, shop, f"{text} fit", search)


def test_accents_matter(gateway: Gateway, shop: Shop) -> None:
    assert not finds(gateway, shop, "Très élégant", "elegant")


# --- The signs between words


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("The fit/size is off", "size"),
        ("The fit/size is off", "fit off"),
        ("The fit/size is off", "fit/size"),
        ("The fit and size", "fit/size"),
        ("A well-made coat", "made"),
        ("A well-made coat", "well made"),
        ("A well-made coat", "well-ma"),
        ("I don't like it", "don't"),
        ("I don't like it", "don like"),
        ("I don’t like it", "don't"),
        ("I don't like it", "don’t"),
        ("Size 5.5 fits", "5.5"),
        ("Size 5.5 fits", "size 5.5 fit"),
        ("Costs $1,000.00", "1,000"),
        ("“Warm” coat", "warm"),
        ("“Warm” coat", "“warm” coat"),
        ("«Chaud»", "chaud"),
        ("Warm—and soft", "warm soft"),
        ("Warm–ish…soft", "ish soft"),
        ("3·5•7", "3 5 7"),
        ("Great…fit", "great…fit"),
        ("see http://shop.example/coat?size=5#top", "shop example coat size top"),
        ("mail me@shop.example", "shop"),
        ("/usr/bin/coat.txt", "coat txt"),
        ("<b>bold</b> &amp; brave", "bold brave"),
        ("snake_case", "case"),
        ("100% cotton", "100% cotton"),
        ("¿Qué?", "qué"),
        ("line\none\ttwo", "line one two"),
        ("wide\u00a0blank\u3000here", "wide blank here"),
    ],
)
def test_signs_part_words_in_texts_and_in_searches_alike(gateway: Gateway, shop: Shop, text: str, search: str) -> None:
    assert finds(gateway, shop, text, search)


@pytest.mark.parametrize(
    "search",
    [
        "'coat'",
        '"coat"',
        "co'at",
        "\\coat",
        "coat\\",
        "coat'); DROP TABLE reviews; --",
        "coat:*",
        ":*coat",
        "warm & coat",
        "warm | coat",
        "!coat",
        "!!coat",
        "warm <-> coat",
        "warm <2> coat",
        "(coat",
        "coat)",
        "coat:A",
        "coat & ",
        "%coat%",
        "c%t",
        "co_t",
        "coat*",
        "$1 coat",
        "product:1",
        "{coat}",
        "coat\r\n",
    ],
)
def test_signs_with_a_meaning_elsewhere_are_blanks_here(gateway: Gateway, shop: Shop, search: str) -> None:
    text = "Warm coat"
    words = re.findall("[a-z0-9]+", search.lower())
    *whole, last = words
    expected = all(word in {"warm", "coat"} for word in whole) and any(w.startswith(last) for w in ("warm", "coat"))
    assert finds(gateway, shop, text, search) is expected


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Great 👍 fit", "great fit"),
        ("Great👍fit", "fit"),
        ("Great 👍 fit", "great 👍 fit"),
        ("Great fit", "👍 great fit"),
        ("😀😀😀 soft", "😀 soft"),
        ("👨‍👩‍👧 family", "family"),
        ("很好的鞋子", "很好的"),
        ("很好，鞋子", "鞋子 很好"),
        ("とても良い靴", "とても"),
        ("아주 좋은 신발", "좋은 신"),
        ("مريح جدا", "مريح جدا"),
    ],
)
def test_emoji_part_words_and_other_scripts_are_words(gateway: Gateway, shop: Shop, text: str, search: str) -> None:
    assert finds(gateway, shop, text, search)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Great shoes", "great shoe 👍"),  # the sign is the last piece, so "shoe" is not taken for a beginning
        ("The size and the fit", "fit×size"),
        ("很好 的 鞋子", "鞋子。很好"),
    ],
)
def test_signs_beyond_the_known_ones_part_the_words_of_a_search_too(
    gateway: Gateway, shop: Shop, text: str, search: str
) -> None:
    assert finds(gateway, shop, text, search)


# --- The law

_LETTERS = "abBéÉ中15"
_SIGNS = " /-'’.,—…&|!:*\\\"()%_"
_TEXTS = st.text(_LETTERS * 2 + _SIGNS, max_size=14)
_SEARCHES = st.text(_LETTERS * 2 + _SIGNS, min_size=3, max_size=7).filter(
    lambda text: len(text.strip()) >= 3 and any(sign in _LETTERS for sign in text)
)


def words_of(text: str) -> list[str]:
    return re.findall(f"[{_LETTERS}É]+".lower(), text.lower())


def matches(text: str, search: str) -> bool:
    words, (*whole, last) = words_of(text), words_of(search)
    return set(whole) <= set(words) and any(word.startswith(last) for word in words)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.tuples(_TEXTS, _TEXTS), max_size=8), searches=st.lists(_SEARCHES, min_size=1, max_size=4))
def test_a_search_finds_the_reviews_that_hold_its_words_and_no_others(
    gateway: Gateway, texts: list[tuple[str, str]], searches: list[str]
) -> None:
    shop = Shop(gateway.database)
    product = shop.product()
    numbers = shop.reviews(product, [{"summary": summary, "body": body} for summary, body in texts])
    for search in searches:
        expected = [
            number
            for number, (summary, body) in zip(numbers, texts, strict=True)
            if matches(f"{summary} {body}", search)
        ]
        assert found(gateway, product, search, sort="NEWEST") == expected[::-1], search


@settings(max_examples=60, deadline=None)
@given(search=st.text(max_size=40) | st.text("'\\:*&|!<>()$\"ab \x00", max_size=40))
def test_no_search_breaks_the_gateway(gateway: Gateway, search: str) -> None:
    answer = gateway.send(SEARCH, product="1", search=search)
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes in ([], ["BAD_USER_INPUT"])


# --- Where it searches


def test_the_reviews_of_another_product_are_not_found(gateway: Gateway, shop: Shop) -> None:
    one, other = shop.product(), shop.product()
    number = shop.review(one, body="A warm coat")
    shop.review(other, body="A warm coat")
    assert found(gateway, one, "warm coat") == [number]


def test_a_reported_review_is_not_found(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    shop.review(product, body="A warm coat", reported=True)
    assert found(gateway, product, "warm coat") == []


def test_what_only_a_name_an_address_or_the_answer_says_is_not_found(gateway: Gateway, shop: Shop) -> None:
    product = shop.product()
    shop.review(product, reviewer_name="warmly", reviewer_email="warmly@shop.example", response="Warmly yours")
    assert found(gateway, product, "warmly") == []


@pytest.mark.parametrize("sort", SORTS)
def test_what_is_found_comes_in_the_order_asked_for(gateway: Gateway, shop: Shop, sort: str) -> None:
    product = shop.product()
    many = [
        {
            "summary": "Warm" if number % 3 else "Cold",
            "body": "warm " * (number % 5),
            "rating": number * 7 % 5 + 1,
            "helpfulness": number * 5 % 4,
            "created_at": START.replace(month=number * 5 % 7 + 1),
            "reported": False,
            "recommended": True,
            "photos": 0,
        }
        for number in range(20)
    ]
    rows = dict(zip(shop.reviews(product, many), many, strict=True))
    assert found(gateway, product, "warm", sort=sort) == listed(rows, sort, search="warm")


# --- What no text can hold


def test_a_zero_character_is_refused(gateway: Gateway) -> None:
    message = "`search` holds a character that no text can hold."
    assert gateway.refusal(SEARCH, product="1", search="coat\x00") == ("BAD_USER_INPUT", message)


def test_half_a_surrogate_pair_in_the_variables_is_not_json(gateway: Gateway) -> None:
    body = b'{"query": "query ($s: String) { catalog(search: $s) { totalCount } }", "variables": {"s": "coat\\ud83d"}}'
    answer = gateway.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


def test_half_a_surrogate_pair_in_the_document_is_not_graphql(gateway: Gateway) -> None:
    (error,) = gateway.send('{ catalog(search: "coat\\uD83D") { totalCount } }')["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
