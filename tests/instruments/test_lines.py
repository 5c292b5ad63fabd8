"""The lines of requests and of slow operations: what helps to find them, and nothing that a client has sent."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

import asyncpg
import httpx
import pytest

from graphql_api.instruments.lines import tell_slow
from graphql_api.instruments.observation import Observation
from graphql_api.telemetry import JsonFormatter, MaskingFormatter
from loaders.observer import Batch
from tests.harness.databases import waiting_for_lock
from tests.harness.gateway import Gateway
from tests.instruments.conftest import Watched
from tests.instruments.test_figures import PAGE, persisted, sha256

ADDRESS, SECRET = "ada@post.example", "heirloom"
PRIVATE = f"""
    query Find($search: String) {{
      catalog(first: 1, search: $search) {{ totalCount }}
      other: catalog(first: 1, search: "{SECRET}") {{ totalCount }}
    }}
"""


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == name]


def in_json(record: logging.LogRecord) -> dict[str, Any]:
    """The line of ``record``, without what differs each time."""
    line: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return {name: value for name, value in line.items() if name not in {"time", "message", "duration_ms"}}


async def held(gateway: Gateway, body: dict[str, Any], seconds: float) -> httpx.Response:
    """The answer to a request whose statements must wait for so long at least."""
    holder = await asyncpg.connect(gateway.database)
    try:
        await holder.execute("BEGIN; LOCK TABLE reviews IN ACCESS EXCLUSIVE MODE")
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            asking = asyncio.create_task(client.post("/graphql", json=body))
            await waiting_for_lock(gateway.database)
            await asyncio.sleep(seconds)
            await holder.execute("COMMIT")
            return await asking
    finally:
        await holder.close()


def test_a_slow_operation_is_told_with_each_batch_that_it_waited_for(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"documentId": f"sha256:{sha256(PAGE)}", "variables": {"id": "2"}}
    with watched(slow_ms=200) as slow:
        answer = asyncio.run(held(slow, body, 0.3))
        assert "errors" not in answer.json()
        assert "errors" not in persisted(slow, PAGE, id="2").json()
    (record,) = lines(caplog, "reviews.slow")
    assert record.levelname == "WARNING"
    line = in_json(record)
    statements = {one.pop("loader"): one for one in line.pop("statements")}
    assert line == {
        "level": "warning",
        "logger": "reviews.slow",
        "request_id": answer.headers["x-request-id"],
        "operation": "ProductPage",
        "hash": sha256(PAGE),
        "cost": line["cost"],
        "outcome": "ok",
    }
    assert line["cost"] > 1
    assert {name: one["keys"] for name, one in statements.items()} == {"ProductsById": 1}
    assert statements["ProductsById"]["duration_ms"] >= 300
    assert 0 <= statements["ProductsById"]["waited_ms"] < 100
    text = MaskingFormatter().format(record)
    assert re.fullmatch(
        rf"slow: request_id=\w+ operation=ProductPage hash={sha256(PAGE)} cost=\d+ duration_ms=[\d.]+ outcome=ok; "
        r"statements: (loader=\w+ keys=1 waited_ms=[\d.]+ duration_ms=[\d.]+)",
        text,
    )


def test_a_slow_operation_without_a_plan_is_told_with_its_batches_too(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"documentId": f"sha256:{sha256(PAGE)}", "variables": {"id": "2"}}
    with watched(slow_ms=200, execution="reference") as slow:
        assert "errors" not in asyncio.run(held(slow, body, 0.3)).json()
    (record,) = lines(caplog, "reviews.slow")
    loaders = {one["loader"]: one["duration_ms"] for one in in_json(record)["statements"]}
    assert set(loaders) == {
        "CharacteristicsByProduct",
        "FiguresByProduct",
        "PhotosByReview",
        "ProductsById",
        "RatingsByReview",
        "ReviewPages",
    }
    assert loaders["ReviewPages"] >= 300 > loaders["ProductsById"]


def test_a_batch_that_failed_is_told_with_its_time(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    body = {"documentId": f"sha256:{sha256(PAGE)}", "variables": {"id": "2"}}
    with watched(slow_ms=1, statement_timeout_ms=100) as slow:
        answer = asyncio.run(held(slow, body, 0.3))
    assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
    record = lines(caplog, "reviews.slow")[0]
    assert in_json(record)["outcome"] == "error"
    (batch,) = in_json(record)["statements"]
    assert batch["loader"] == "ProductsById"
    assert batch["duration_ms"] >= 100


def test_a_batch_that_has_not_ended_has_no_time(caplog: pytest.LogCaptureFixture) -> None:
    given_up = Observation("id", 10.0)
    given_up.batches = [(10.0, Batch("ReviewPages", 3, 10.0, 10.25))]
    tell_slow(given_up, "error", 1.5)
    (record,) = lines(caplog, "reviews.slow")
    assert in_json(record)["statements"] == [
        {"loader": "ReviewPages", "keys": 3, "waited_ms": 250.0, "duration_ms": None}
    ]
    assert record.getMessage().endswith("statements: loader=ReviewPages keys=3 waited_ms=250.0 duration_ms=-")


def test_switched_off_no_operation_is_slow(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    body = {"documentId": f"sha256:{sha256(PAGE)}", "variables": {"id": "2"}}
    with watched(slow_ms=0) as slow:
        assert "errors" not in asyncio.run(held(slow, body, 0.1)).json()
    assert lines(caplog, "reviews.slow") == []


def test_each_request_writes_a_line_where_it_is_wanted(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    with watched(log_requests=True) as telling, caplog.at_level(logging.INFO, logger="reviews"):
        page = persisted(telling, PAGE, id="2")
        refused = telling.http.post("/graphql", json={"query": "{"})
    known, unknown = lines(caplog, "reviews.requests")
    assert in_json(known) == {
        "level": "info",
        "logger": "reviews.requests",
        "request_id": page.headers["x-request-id"],
        "operation": "ProductPage",
        "hash": sha256(PAGE),
        "cost": in_json(known)["cost"],
        "outcome": "ok",
    }
    assert in_json(unknown) == {
        "level": "info",
        "logger": "reviews.requests",
        "request_id": refused.headers["x-request-id"],
        "operation": None,
        "hash": None,
        "cost": None,
        "outcome": "refused",
    }
    assert re.fullmatch(
        r"request_id=\w+ operation=- hash=- cost=- duration_ms=[\d.]+ outcome=refused", unknown.getMessage()
    )


def test_by_default_requests_write_nothing(own: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="reviews"):
        assert "errors" not in persisted(own, PAGE, id="2").json()
    assert lines(caplog, "reviews.requests") == []


def test_nothing_that_a_client_has_sent_is_in_a_line(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    with watched(log_requests=True, slow_ms=1) as telling, caplog.at_level(logging.INFO, logger="reviews"):
        assert "errors" not in telling.send(PRIVATE, search=f"{SECRET} {ADDRESS}")
        telling.send("{ wrong", search=SECRET)
        telling.send(f'{{ product(id: "{ADDRESS} {SECRET}") {{ name }} }}')
    told = [*lines(caplog, "reviews.requests"), *lines(caplog, "reviews.slow")]
    assert len(lines(caplog, "reviews.requests")) == 3
    assert lines(caplog, "reviews.requests")[0].getMessage().count("operation=Find") == 1
    for record in told:
        line = JsonFormatter().format(record) + record.getMessage()
        assert (SECRET in line, ADDRESS in line, "@" in line) == (False, False, False)
