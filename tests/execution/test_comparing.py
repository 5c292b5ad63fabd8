"""The comparison itself: every difference is one, and only what the specification leaves open is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.execution.comparing import Reply, differences, misplaced


def error(*path: str | int, code: str = "INTERNAL_SERVER_ERROR", **more: Any) -> dict[str, Any]:
    return {
        "message": "Internal server error",
        "path": list(path),
        "locations": [{"line": 1, "column": 3}],
        "extensions": {"code": code, "requestId": "one"},
        **more,
    }


def reply(data: Any, *errors: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, {"data": data, "errors": list(errors)} if errors else {"data": data})


def refusal(*errors: dict[str, Any], status: int = 400) -> Reply:
    return Reply(status, {"errors": list(errors)})


PHOTO = {"photos": [{"url": None}, {"url": "b"}]}
HIDDEN = {"product": None, "review": None}

ALIKE = {
    "equal data": (reply({"a": 1}), reply({"a": 1})),
    "errors in another order": (
        reply({"a": None, "b": None}, error("a"), error("b")),
        reply({"a": None, "b": None}, error("b"), error("a")),
    ),
    "another request": (
        reply({"a": None}, error("a")),
        reply({"a": None}, error("a", extensions={"requestId": "two", "code": "INTERNAL_SERVER_ERROR"})),
    ),
    "another of several errors below one null": (
        reply({"product": None}, error("product", "name"), error("product", "id")),
        reply({"product": None}, error("product", "slogan")),
    ),
    "another of several errors where all became null": (reply(None, error("a", "b")), reply(None, error("c"))),
    "another item of a list that became null": (
        reply({"products": None}, error("products", 0, "name")),
        reply({"products": None}, error("products", 2, "name")),
    ),
}

DIFFERENT = {
    "another value": (reply({"a": 1}), reply({"a": 2})),
    "another type of number": (reply({"a": 1}), reply({"a": 1.0})),
    "a number for a boolean": (reply({"a": 1}), reply({"a": True})),
    "keys in another order": (reply({"a": 1, "b": 2}), reply({"b": 2, "a": 1})),
    "items in another order": (reply({"a": [1, 2]}), reply({"a": [2, 1]})),
    "a key too many": (reply({"a": 1}), reply({"a": 1, "b": None})),
    "null for an empty list": (reply({"a": []}), reply({"a": None})),
    "another null": (
        reply({"photos": [None, {"url": "b"}]}, error("photos", 0, "url")),
        reply({"photos": None}, error("photos", 0, "url")),
    ),
    "null data for no data": (reply(None, error("a")), refusal(error("a"), status=200)),
    "no error": (reply({"a": None}, error("a")), reply({"a": None})),
    "an error twice": (reply({"a": None}, error("a")), reply({"a": None}, error("a"), error("a"))),
    "no error below a null": (reply({"product": None}, error("product", "name")), reply({"product": None})),
    "the error of another null": (
        reply(HIDDEN, error("product", "name"), error("review", "body")),
        reply(HIDDEN, error("product", "name"), error("product", "id")),
    ),
    "an error at the null for one below it": (
        reply({"product": None}, error("product")),
        reply({"product": None}, error("product", "name")),
    ),
    "another path": (reply(PHOTO, error("photos", 0, "url")), reply(PHOTO, error("photos", 0))),
    "another item": (
        reply({"photos": [None, None]}, error("photos", 0, "url")),
        reply({"photos": [None, None]}, error("photos", 1, "url")),
    ),
    "another message": (reply({"a": None}, error("a")), reply({"a": None}, error("a", message="No"))),
    "another code": (reply({"a": None}, error("a")), reply({"a": None}, error("a", code="TIMEOUT"))),
    "another place in the document": (
        reply({"a": None}, error("a")),
        reply({"a": None}, error("a", locations=[{"line": 2, "column": 3}])),
    ),
    "fewer places in the document": (reply({"a": None}, error("a")), reply({"a": None}, error("a", locations=[]))),
    "more in the extensions": (
        reply({"a": None}, error("a")),
        reply({"a": None}, error("a", extensions={"code": "INTERNAL_SERVER_ERROR", "reason": "x"})),
    ),
    "another code at one path below a null": (
        reply({"product": None}, error("product", "name")),
        reply({"product": None}, error("product", "name", code="TIMEOUT")),
    ),
    "another status": (refusal(error()), refusal(error(), status=200)),
    "another refusal": (refusal(error(message="a")), refusal(error(message="b"))),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE.keys())
def test_what_the_specification_leaves_open_is_no_difference(pair: tuple[Reply, Reply]) -> None:
    assert differences(*pair) == []
    assert differences(*reversed(pair)) == []


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_every_other_difference_is_found_from_either_side(pair: tuple[Reply, Reply]) -> None:
    assert differences(*pair) != []
    assert differences(*reversed(pair)) != []
    assert differences(pair[0], pair[0]) == differences(pair[1], pair[1]) == []


def test_an_error_beside_a_value_is_misplaced() -> None:
    assert misplaced(reply(PHOTO, error("photos", 0, "url"), error("photos", 1, "url"))) == [("photos", 1, "url")]
    assert misplaced(reply({"a": 1}, error("b"))) == [("b",)]
    assert misplaced(reply({"a": None}, error("a", "b"), error("a"))) == []
    assert misplaced(reply(None, error("a"))) == []
    assert misplaced(refusal({"message": "No", "extensions": {"code": "BAD_REQUEST"}})) == []
