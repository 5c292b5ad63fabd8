"""One form for all ways to write the same JSON, and none for what is better not cached."""

from __future__ import annotations

import pytest

from tests.edge.console import Console


def canonical(console: Console, text: str) -> str | None:
    """The form of ``text``; ``None``: it has none."""
    form: str | None = console.call("edge.json", "canonical", text)
    return form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"b":1,"a":2}', '{"a":2,"b":1}'),
        (' { "a" : [ 1 , { "d":4, "c" : null } ] } ', '{"a":[1,{"c":null,"d":4}]}'),
        ('{"a":[],"b":{}}', '{"a":[],"b":{}}'),
        ('{"id":12345678901234567890}', '{"id":12345678901234567890}'),
        ('{"n":1.0,"m":1}', '{"m":1,"n":1.0}'),
        ('{"s":"a b { } , : é"}', '{"s":"a b { } , : é"}'),
        ("{}", "{}"),
    ],
)
def test_blanks_and_order_make_no_difference_and_everything_else_does(console: Console, text: str, form: str) -> None:
    assert canonical(console, text) == form


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a":1,"a":2}', id="a name twice"),
        pytest.param('{"\\u0061":1}', id="a name with an escape"),
        pytest.param('{"a":1', id="no end"),
        pytest.param('{"a":1}x', id="something behind"),
        pytest.param('{"a":1,}', id="a comma too many"),
        pytest.param('{"a" 1}', id="no colon"),
        pytest.param('{"a":"x', id="no closing quote"),
        pytest.param("[1]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param("", id="nothing"),
        pytest.param('{"a":' * 9 + "1" + "}" * 9, id="nine levels"),
        pytest.param('{"a":"' + "x" * 4096 + '"}', id="over 4 KB"),
    ],
)
def test_what_is_doubtful_has_no_form(console: Console, text: str) -> None:
    assert canonical(console, text) is None


def test_eight_levels_have_a_form(console: Console) -> None:
    text = '{"a":' * 8 + "1" + "}" * 8

    assert canonical(console, text) == text
