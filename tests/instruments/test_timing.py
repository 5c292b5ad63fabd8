"""Server-Timing adds up, counts what happens at once only once, and is absent unless it is wanted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from graphql_api.instruments.observation import Observation
from graphql_api.instruments.timing import server_timing
from loaders.observer import Batch
from tests.harness.gateway import Gateway
from tests.instruments.conftest import Watched
from tests.instruments.test_figures import PAGE, persisted


def parts(header: str) -> dict[str, float]:
    """Milliseconds by name."""
    return {name: float(text) for name, text in re.findall(r"(\w+);dur=([\d.]+)", header)}


def observed(*batches: tuple[float, float, float], settled: float) -> Observation:
    """A request of 10 s on, with batches of so many asked, begun and ended."""
    made = Observation("id", 10.0)
    made.batches = [(asked, Batch("Loader", 1, asked, began, ended)) for asked, began, ended in batches]
    made.settled = settled
    return made


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([], {"queue": 0, "plan": 900, "db": 0, "encode": 100}),
        ([(10.1, 10.2, 10.5)], {"queue": 100, "plan": 500, "db": 300, "encode": 100}),
        # At once, and one within the other.
        ([(10.1, 10.1, 10.5), (10.1, 10.2, 10.4)], {"queue": 0, "plan": 500, "db": 400, "encode": 100}),
        # One waits while the other is under way, and longer.
        ([(10.1, 10.1, 10.3), (10.2, 10.4, 10.6)], {"queue": 100, "plan": 400, "db": 400, "encode": 100}),
        # One after the other, given in another order.
        ([(10.5, 10.5, 10.6), (10.1, 10.1, 10.2)], {"queue": 0, "plan": 700, "db": 200, "encode": 100}),
        # One that has not ended.
        ([(10.1, 10.2, 0.0)], {"queue": 100, "plan": 100, "db": 700, "encode": 100}),
    ],
)
def test_the_time_is_split_into_what_it_was_spent_on(
    batches: list[tuple[float, float, float]], expected: dict[str, float]
) -> None:
    header = server_timing(observed(*batches, settled=10.9), 11.0).decode()
    assert parts(header) == pytest.approx(expected, abs=0.001)


def test_a_request_that_was_never_settled_encodes_nothing() -> None:
    assert parts(server_timing(observed(settled=0.0), 10.25).decode()) == {
        "queue": 0,
        "plan": 250,
        "db": 0,
        "encode": 0,
    }


@pytest.mark.parametrize("settings", [{}, {"execution": "reference"}])
def test_an_answer_says_what_its_time_was_spent_on(watched: Watched, settings: dict[str, Any]) -> None:
    with watched(server_timing=True, **settings) as timed:
        response = persisted(timed, PAGE, id="2")
        again = timed.http.get(response.request.url, headers={"If-None-Match": response.headers["etag"]})
        refused = timed.http.post("/graphql", json={"query": "{"})
    spent = parts(response.headers["server-timing"])
    assert list(spent) == ["queue", "plan", "db", "encode"]
    assert (spent["db"] > 0, spent["plan"] > 0, spent["encode"] > 0) == (True, True, True)
    assert again.status_code == 304
    assert parts(again.headers["server-timing"])["db"] > 0
    assert parts(refused.headers["server-timing"])["db"] == 0


def test_nobody_is_told_unless_it_is_wanted(own: Gateway) -> None:
    assert "server-timing" not in persisted(own, PAGE, id="2").headers
