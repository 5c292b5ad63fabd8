"""Votes of the same moment: stored in one transaction, and each answered as if it were alone."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.mutations import transaction
from graphql_api.schema.identity import encode
from graphql_api.settings import Secret, Settings
from tests.documents.test_documents import DOCUMENTS
from tests.harness.databases import Databases, rows, run, value
from tests.harness.edge import Fronted, running_edge
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked, locked_review, waiting
from tests.harness.processes import wait_for
from tests.harness.scraping import scraped
from tests.harness.shop import Shop

MARK = """
mutation ($input: MarkReviewHelpfulInput!) {
  markReviewHelpful(input: $input) { review { reviewId helpfulness } userErrors { code } }
}
"""
PAGE_HASH = hashlib.sha256(DOCUMENTS["ProductPage"].encode()).hexdigest()
RUNNING = ("reviews_requests_running", "write")
STORED = "SELECT count(*), count(DISTINCT xmin::text) FROM helpful_votes WHERE product_id = ANY ($1)"
HELD = 2
"""Transactions that are under way at a time, and have begun before the others came."""

Running = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """The address of a database without rows."""
    return databases.migrated()


@pytest.fixture(scope="module")
def running(url: str, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """Runs a gateway on that database that takes 40 mutations at a time."""

    def gateway(**settings: Any) -> AbstractContextManager[Gateway]:
        state = tmp_path_factory.mktemp("together")
        return running_gateway(
            Settings(
                database_url=Secret(url),
                state=state,
                voter_secret=Secret("a test's"),
                **{"write_connections": 20, **settings},
            )
        )

    return gateway


@pytest.fixture(scope="module")
def gateway(running: Running) -> Iterator[Gateway]:
    """One of them."""
    with running() as made:
        yield made


def of_products(url: str, count: int) -> list[tuple[int, int]]:
    """So many products with a review each: their numbers."""
    shop = Shop(url)
    products = [shop.product() for _ in range(count)]
    return [(product.number, shop.review(product)) for product in products]


def mark(asked: Gateway | Fronted, review: tuple[int, int], voter: str | None = None) -> httpx.Response:
    sent = {"query": MARK, "variables": {"input": {"reviewId": encode("Review", *review), "voter": voter}}}
    return asked.http.post("/graphql", json=sent)


def payload(response: httpx.Response) -> tuple[int | None, list[str]]:
    """The count that the answer shows, and the codes of its problems."""
    found = response.json()["data"]["markReviewHelpful"]
    review = found["review"]
    return review and review["helpfulness"], [error["code"] for error in found["userErrors"]]


@contextmanager
def at_once(
    gateway: Gateway, url: str, votes: list[tuple[tuple[int, int], str | None]], table: str = "helpful_votes"
) -> Iterator[list[Future[httpx.Response]]]:
    """The votes are sent, and wait for ``table`` until the context ends."""
    with ThreadPoolExecutor(len(votes)) as threads, locked(url, table):
        sent = [threads.submit(mark, gateway, *vote) for vote in votes]
        wait_for(lambda: scraped(gateway.http)[RUNNING] == len(votes))
        wait_for(lambda: waiting(url) > 0)
        yield sent


def test_votes_of_a_moment_are_stored_in_one_transaction_and_answered_each_with_its_own(
    gateway: Gateway, url: str
) -> None:
    reviews = of_products(url, 30)
    with at_once(gateway, url, [(review, "a") for review in reviews]) as sent:
        pass
    assert [payload(one.result()) for one in sent] == [(1, [])] * 30
    stored, transactions = rows(url, STORED, [product for product, _ in reviews])[0]
    assert stored == 30
    assert transactions <= HELD + 1
    tags = [one.result().headers["changed"].split()[2:] for one in sent]
    assert tags == [[f"product:{product}"] for product, _ in reviews]
    # Of what it was not told of in full, an edge passes over nothing that the stream tells.
    assert [one.result().headers["changed"].split()[0] for one in sent].count("0") >= 30 - HELD


def test_votes_for_one_product_name_their_transaction(gateway: Gateway, url: str) -> None:
    shop = Shop(url)
    product = shop.product()
    # Of each review one vote: a second one may find it locked by the first, and then is stored by itself.
    reviews = [(product.number, number) for number in shop.reviews(product, [{}] * 40)]
    with at_once(gateway, url, [(review, None) for review in reviews]) as sent:
        pass
    assert {payload(one.result())[1] == [] for one in sent} == {True}
    said = {tuple(one.result().headers["changed"].split()) for one in sent}
    recorded = rows(url, "SELECT xid::text, tags FROM changes WHERE product_id = $1", product.number)
    assert {(xid, *tags) for xid, _, *tags in said} <= {(xid, tags) for xid, tags in recorded}
    assert len(said) <= HELD + 1
    assert rows(url, "SELECT DISTINCT helpfulness FROM reviews WHERE product_id = $1", product.number) == [(1,)]


def test_copies_in_one_transaction_count_once_and_nameless_ones_each(gateway: Gateway, url: str) -> None:
    review, other, hidden, gone = of_products(url, 4)
    run(url, "UPDATE reviews SET reported = true WHERE product_id = $1", hidden[0])
    votes = [(review, "a")] * 10 + [(review, None)] * 5 + [(other, "a")] * 5 + [(hidden, "a"), ((gone[0], 7), "a")]
    with at_once(gateway, url, votes) as sent:
        pass
    answers = [payload(one.result()) for one in sent]
    assert sorted(codes for _, codes in answers[:10]) == [[]] + [["DUPLICATE"]] * 9
    assert [codes for _, codes in answers[10:15]] == [[]] * 5
    assert sorted(codes for _, codes in answers[15:20]) == [[]] + [["DUPLICATE"]] * 4
    assert answers[20:] == [(None, ["NOT_FOUND"])] * 2
    helpfulness = "SELECT helpfulness FROM reviews WHERE product_id = $1"
    assert [value(url, helpfulness, product) for product, _ in (review, other, hidden)] == [6, 1, 0]


def test_a_review_that_somebody_has_locked_holds_up_its_own_votes_only(gateway: Gateway, url: str) -> None:
    held, *others = of_products(url, 12)
    with ThreadPoolExecutor(3) as threads, locked_review(url, *held):
        late = [threads.submit(mark, gateway, held, voter) for voter in "abc"]
        wait_for(lambda: waiting(url) == 3)
        assert [payload(mark(gateway, review, "a")) for review in others] == [(1, [])] * 11
        assert [one.done() for one in late] == [False] * 3
    assert [payload(one.result())[1] for one in late] == [[]] * 3
    assert payload(mark(gateway, held))[0] == 4


def test_edges_whose_votes_share_a_transaction_learn_of_each_other_s(
    nginx: str, gateway: Gateway, url: str, tmp_path: Path
) -> None:
    assert nginx
    reviews = of_products(url, 2)
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with running_edge(gateway, folders[0]) as one, running_edge(gateway, folders[1]) as other:
        edges = (one, other)
        for edge, (product, _) in itertools.product(edges, reviews):
            wait_for(lambda edge=edge, product=product: shown(edge, product) == ([0], "HIT"))
        with (
            ThreadPoolExecutor(2) as threads,
            at_once(gateway, url, [(review, "a") for review in of_products(url, 10)]),
        ):
            sent = [threads.submit(mark, edge, review, "a") for edge, review in zip(edges, reviews, strict=True)]
            wait_for(lambda: scraped(gateway.http)[RUNNING] == 12)
        assert [payload(one.result()) for one in sent] == [(1, [])] * 2
        stored = "SELECT count(DISTINCT xmin::text) FROM helpful_votes WHERE product_id = ANY ($1)"
        assert value(url, stored, [product for product, _ in reviews]) == 1
        # Who asks where it was written sees it at once, and others a moment later.
        assert [shown(edge, product)[0] for edge, (product, _) in zip(edges, reviews, strict=True)] == [[1], [1]]
        for edge, (product, _) in itertools.product(edges, reviews):
            wait_for(lambda edge=edge, product=product: shown(edge, product)[0] == [1])


def shown(edge: Fronted, product: int) -> tuple[list[int], str]:
    """The votes of a product's reviews, and whether the edge had them."""
    answer = edge.http.get(f"/graphql/p/{PAGE_HASH}/ProductPage?variables=%7B%22id%22:{product}%7D")
    nodes = answer.json()["data"]["product"]["reviews"]["nodes"]
    return [node["helpfulness"] for node in nodes], answer.headers["x-cache"]


def test_a_full_count_stays_full(gateway: Gateway, url: str) -> None:
    full, nearly = of_products(url, 2)
    run(url, "UPDATE reviews SET helpfulness = 2147483647 WHERE product_id = $1", full[0])
    run(url, "UPDATE reviews SET helpfulness = 2147483640 WHERE product_id = $1", nearly[0])
    with at_once(gateway, url, [(full, None)] * 10 + [(nearly, None)] * 10) as sent:
        pass
    assert [payload(one.result())[1] for one in sent] == [[]] * 20
    assert {payload(mark(gateway, review))[0] for review in (full, nearly)} == {2147483647}


def test_votes_whose_transaction_is_ended_before_its_commit_are_stored_one_by_one(gateway: Gateway, url: str) -> None:
    reviews = of_products(url, 20)
    with at_once(gateway, url, [(review, "a") for review in reviews]) as sent:
        run(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
    assert [payload(one.result()) for one in sent] == [(1, [])] * 20
    assert rows(url, STORED, [product for product, _ in reviews])[0][0] == 20


def test_votes_that_take_too_long_are_rolled_back_and_told_so(running: Running, url: str) -> None:
    reviews = of_products(url, 10)
    with running(request_timeout_ms=500) as hasty:
        with at_once(hasty, url, [(review, "a") for review in reviews]) as sent:
            errors = [one.result().json()["errors"][0] for one in sent]
            wait_for(lambda: waiting(url) == 0)
        assert {(error["extensions"]["code"], error["message"]) for error in errors} == {
            ("TIMEOUT", "The database took too long, and nothing was written: send it again later.")
        }
        assert rows(url, STORED, [product for product, _ in reviews])[0][0] == 0
        assert [payload(mark(hasty, review, "a")) for review in reviews] == [(1, [])] * 10


def test_a_commit_of_which_nothing_is_heard_is_told_to_those_in_it_and_to_no_other(
    running: Running, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "COMMIT_S", 0.1)
    reviews = of_products(url, 20)
    run(url, SLEEP_AT_COMMIT)
    try:
        with running(request_timeout_ms=1500) as hasty:
            with at_once(hasty, url, [(review, "slow") for review in reviews]) as sent:
                pass
            errors = [one.result().json()["errors"][0] for one in sent]
            run(url, "DROP FUNCTION sleep CASCADE")  # and so after all commits
            unknown = [error["message"].startswith("The database has not said whether this") for error in errors]
            stored = {number for (number,) in rows(url, "SELECT review_id FROM helpful_votes")}
            assert {error["extensions"]["code"] for error in errors} == {"TIMEOUT"}
            assert any(unknown)
            assert {review for (_, review), maybe in zip(reviews, unknown, strict=True) if not maybe} & stored == set()
            # Who sends it again learns what became of it.
            assert {payload(mark(hasty, review, "slow"))[0] for review in reviews} == {1}
    finally:
        run(url, "DROP FUNCTION IF EXISTS sleep CASCADE")


SLEEP_AT_COMMIT = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON helpful_votes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION sleep()
"""
