"""Requests that end before their answer is ready: over real connections, and looked at in PostgreSQL."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import httpx
import orjson
import pytest

from etl.load import load_folder
from graphql_api.mutations import transaction
from graphql_api.settings import Secret, Settings
from tests.conftest import SAMPLE
from tests.harness.databases import Databases, run, value
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked, waiting
from tests.harness.processes import wait_for
from tests.harness.scraping import scraped
from tests.harness.shop import Shop
from tests.mutations.test_add_review import wanted

NAME = "{ product(id: 1) { name } }"
ANSWER = {"data": {"product": {"name": "Camo Onesie"}}}
ADD = """
mutation ($input: AddReviewInput!) { addReview(input: $input) { review { summary } userErrors { message } } }
"""
SLEEP_AT_COMMIT = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.8); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON reviews DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.summary LIKE 'Slow%') EXECUTE FUNCTION sleep()
"""

Patient = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """The address of a database with the sample catalogue."""
    made = databases.migrated()
    load_folder(made, SAMPLE, Settings())
    return made


@pytest.fixture(scope="module")
def patient(url: str, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """Runs a gateway on that database with the settings that are given."""

    def running(**settings: Any) -> AbstractContextManager[Gateway]:
        state = tmp_path_factory.mktemp("patient")
        return running_gateway(Settings(database_url=Secret(url), state=state, **settings))

    return running


@pytest.fixture(scope="module")
def hasty(patient: Patient) -> Iterator[Gateway]:
    """A gateway that gives each request 0.3 s."""
    with patient(request_timeout_ms=300) as running:
        yield running


def begun(gateway: Gateway, body: dict[str, Any]) -> socket.socket:
    """A connection over which ``body`` was posted, and not answered yet."""
    host, port = gateway.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    sent = orjson.dumps(body)
    head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}"
    connection.sendall(head.encode() + b"\r\n\r\n" + sent)
    return connection


def review(url: str, summary: str, key: str) -> dict[str, Any]:
    """The variables of a new review of a new product."""
    product = Shop(url).product("FIT")
    return {"input": wanted(product, summary=summary, idempotencyKey=key)}


def stored(url: str, summary: str) -> int:
    count: int = value(url, "SELECT count(*) FROM reviews WHERE summary = $1", summary)
    return count


def outcomes(gateway: Gateway, outcome: str) -> float:
    return sum(
        count for (name, *labels), count in scraped(gateway.http).items() if outcome in labels and "total" in name
    )


@pytest.mark.parametrize("execution", ["compiled", "reference"])
def test_a_read_of_a_client_who_leaves_is_ended_in_postgresql(patient: Patient, url: str, execution: str) -> None:
    with patient(execution=execution) as gateway, locked(url, "products"):
        connection = begun(gateway, {"query": NAME})
        wait_for(lambda: waiting(url) == 1)
        connection.close()
        # The lock is held all the time: nothing else ends the wait, but for the gateway's 5 s.
        left = time.monotonic()
        wait_for(lambda: waiting(url) == 0)
        assert time.monotonic() - left < 4
        wait_for(lambda: outcomes(gateway, "left") == 1)
    with patient(execution=execution) as gateway:
        assert gateway.send(NAME) == ANSWER


def test_a_client_who_leaves_takes_nobody_along(patient: Patient, url: str) -> None:
    with patient() as gateway, ThreadPoolExecutor(6) as clients:
        with locked(url, "products"):
            leaving = [begun(gateway, {"query": NAME}) for _ in range(6)]
            wait_for(lambda: waiting(url) == 2)
            staying = [clients.submit(gateway.send, NAME) for _ in range(6)]
            time.sleep(0.2)
            for connection in leaving:
                connection.close()
            wait_for(lambda: outcomes(gateway, "left") == 6)
            # Those who stay have asked since, in statements of their own.
            wait_for(lambda: waiting(url) > 0)
        assert [one.result() for one in staying] == [ANSWER] * 6


@pytest.mark.parametrize("execution", ["compiled", "reference"])
def test_a_read_that_takes_too_long_is_answered_with_a_code_and_ended(
    patient: Patient, url: str, execution: str
) -> None:
    with patient(request_timeout_ms=300, execution=execution) as hasty:
        with locked(url, "products"):
            answer = hasty.http.post("/graphql", json={"query": NAME})
            wait_for(lambda: waiting(url) == 0)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (504, "TIMEOUT")
        assert error["message"] == "The answer was not ready within 0.3 s: ask for less, or again later."
        assert answer.headers["cache-control"] == "no-store"
        assert outcomes(hasty, "timeout") == 1
        assert hasty.send(NAME) == ANSWER


def test_a_look_up_of_a_document_that_takes_too_long_is_ended(hasty: Gateway, url: str) -> None:
    with locked(url, "documents"):
        answer = hasty.http.get("/graphql", params={"documentId": f"sha256:{'5' * 64}"})
        wait_for(lambda: waiting(url) == 0)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (504, "TIMEOUT")


def test_a_body_that_comes_too_slowly_is_refused_and_its_connection_closed(hasty: Gateway) -> None:
    host, port = hasty.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        )
        connection.sendall(head.encode() + b'{"query"')
        said = b""
        while part := connection.recv(4096):
            said += part
    head_, _, body = said.partition(b"\r\n\r\n")
    assert head_.startswith(b"HTTP/1.1 408 ")
    assert orjson.loads(body)["errors"][0]["extensions"]["code"] == "TIMEOUT"


def test_a_mutation_is_finished_though_its_client_leaves_and_a_retry_gets_the_answer(
    patient: Patient, url: str
) -> None:
    variables = review(url, "Finished without me", "left-1")
    with patient() as gateway:
        with locked(url, "products"):
            connection = begun(gateway, {"query": ADD, "variables": variables})
            wait_for(lambda: waiting(url) == 1)
            connection.close()
            time.sleep(0.3)
            assert waiting(url) == 1
        wait_for(lambda: stored(url, "Finished without me") == 1)
        expected = {"addReview": {"review": {"summary": "Finished without me"}, "userErrors": []}}
        assert gateway.data(ADD, **variables) == expected
    assert stored(url, "Finished without me") == 1


def test_a_mutation_that_takes_too_long_is_rolled_back_whole(hasty: Gateway, url: str) -> None:
    variables = review(url, "Too late", "late-1")
    # What it writes last: the review stands in the transaction until then.
    with locked(url, "ratings"):
        answer = hasty.send(ADD, **variables)
        wait_for(lambda: waiting(url) == 0)
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("TIMEOUT", ["addReview"])
    assert error["message"] == "The database took too long, and nothing was written: send it again later."
    assert stored(url, "Too late") == 0


def test_a_commit_that_has_begun_is_waited_for_beyond_the_deadline(hasty: Gateway, url: str) -> None:
    run(url, SLEEP_AT_COMMIT)
    try:
        answer = hasty.send(ADD, **review(url, "Slowly committed", "slow-1"))
    finally:
        run(url, "DROP FUNCTION sleep CASCADE")
    assert answer["data"]["addReview"]["userErrors"] == []
    assert stored(url, "Slowly committed") == 1


def test_a_commit_of_which_nothing_is_heard_is_told_so(
    hasty: Gateway, patient: Patient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "COMMIT_S", 0.1)
    variables = review(url, "Slow and unknown", "slow-2")
    run(url, SLEEP_AT_COMMIT)
    try:
        answer = hasty.send(ADD, **variables)
    finally:
        run(url, "DROP FUNCTION sleep CASCADE")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "TIMEOUT"
    assert error["message"].startswith("The database has not said whether this was written")
    # The key makes an end of it.
    with patient() as gateway:
        again = gateway.data(ADD, **variables)
    assert again == {"addReview": {"review": {"summary": "Slow and unknown"}, "userErrors": []}}
    assert stored(url, "Slow and unknown") == 1


def test_a_usual_request_is_watched_by_nobody(patient: Patient) -> None:
    with patient() as gateway, httpx.Client(base_url=gateway.url) as client:
        answers = [client.post("/graphql", json={"query": NAME}).json() for _ in range(20)]
        assert answers == [ANSWER] * 20
        assert outcomes(gateway, "left") == 0
