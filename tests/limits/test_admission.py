"""What runs at a time, what waits, and what is refused."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphql_api.errors import OverloadedError
from graphql_api.limits.admission import Admission
from graphql_api.settings import Secret, Settings
from tests.harness.gateway import Gateway, running_gateway
from tests.harness.locking import locked, waiting
from tests.harness.processes import wait_for
from tests.harness.scraping import scraped
from tests.harness.shop import Shop
from tests.mutations.test_mark_review_helpful import MARK


async def turn() -> None:
    """Let everything run that is ready."""
    for _ in range(3):
        await asyncio.sleep(0)


def entering(admission: Admission, *places: int) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(admission.enter(one)) for one in places]


def test_a_page_takes_one_place_cards_take_nine_and_nothing_takes_more_than_there_are() -> None:
    admission = Admission(64, 1, 1)
    assert [admission.places_of(cost) for cost in (0, 71, 1200, 10_000, 1_000_000)] == [1, 1, 9, 64, 64]


def test_places_that_are_free_are_taken_at_once_and_others_wait_in_order() -> None:
    async def test() -> Any:
        admission = Admission(4, 8, 10)
        tasks = entering(admission, 3, 2, 1, 1)
        await turn()
        # The third would fit, and waits behind the second all the same.
        before = [task.done() for task in tasks], admission.running, admission.queued
        admission.leave(3)
        await turn()
        return before, [task.done() for task in tasks], admission.running, admission.queued

    assert asyncio.run(test()) == (([True, False, False, False], 1, 3), [True] * 4, 3, 0)


def test_beyond_the_queue_it_is_refused_at_once_and_the_others_keep_their_places() -> None:
    async def test() -> Any:
        admission = Admission(1, 2, 10)
        tasks = entering(admission, 1, 1, 1, 1, 1)
        await turn()
        refused = [task.done() and isinstance(task.exception(), OverloadedError) for task in tasks]
        with pytest.raises(OverloadedError):
            admission.check()
        for _ in range(3):
            admission.leave(1)
            await turn()
        return refused, admission.running, admission.queued, all(task.done() for task in tasks)

    assert asyncio.run(test()) == ([False, False, False, True, True], 0, 0, True)


def test_a_queue_is_full_also_while_a_place_is_free() -> None:
    async def test() -> Any:
        admission = Admission(3, 1, 10)
        await admission.enter(2)
        # It needs more than is free, and stands before everybody.
        tasks = entering(admission, 3, 1, 1)
        await turn()
        return [task.done() and isinstance(task.exception(), OverloadedError) for task in tasks], admission.queued

    assert asyncio.run(test()) == ([False, True, True], 1)


def test_one_who_leaves_makes_way_for_a_smaller_one_behind() -> None:
    async def test() -> Any:
        admission = Admission(3, 8, 10)
        await admission.enter(2)
        large, small = entering(admission, 3, 1)
        await turn()
        large.cancel()
        await turn()
        return small.done(), admission.running, admission.queued

    assert asyncio.run(test()) == (True, 2, 0)


def test_without_a_queue_it_is_refused_at_once() -> None:
    async def test() -> bool:
        admission = Admission(1, 0, 10)
        await admission.enter(1)
        with pytest.raises(OverloadedError):
            await admission.enter(1)
        admission.leave(1)
        await admission.enter(1)
        return admission.running == 1

    assert asyncio.run(test())


def test_one_who_has_waited_long_enough_is_refused_and_makes_way() -> None:
    async def test() -> Any:
        admission = Admission(2, 8, 0.05)
        await admission.enter(1)
        large, small = entering(admission, 2, 1)
        await asyncio.wait([large, small])
        return type(large.exception()), type(small.exception()), admission.running, admission.queued

    # Both waited as long; a place was free for the small one, which the large one stood before.
    assert asyncio.run(test()) in {
        (OverloadedError, type(None), 2, 0),
        (OverloadedError, OverloadedError, 1, 0),
    }


def test_one_who_leaves_takes_no_place_and_holds_none() -> None:
    async def test() -> Any:
        admission = Admission(1, 2, 10)
        await admission.enter(1)
        leaving, staying = entering(admission, 1, 1)
        await turn()
        leaving.cancel()
        await turn()
        queued = admission.queued
        admission.check()
        admission.leave(1)
        await turn()
        # Let in and cancelled in the same turn: what it got goes to the next.
        late, last = entering(admission, 1, 1)
        await turn()
        admission.leave(1)
        late.cancel()
        await turn()
        return queued, staying.done(), last.done(), admission.running, admission.queued

    assert asyncio.run(test()) == (1, True, True, 1, 0)


@pytest.fixture
def narrow(gateway: Gateway, tmp_path: Path) -> Settings:
    """A gateway with room for two pages or eight mutations, and queues of one."""
    return Settings(
        database_url=Secret(gateway.database),
        state=tmp_path,
        max_running=2,
        max_queued=1,
        queue_timeout_ms=60_000,
        write_connections=1,
        request_timeout_ms=60_000,
    )


def name(gateway: Gateway, method: str = "GET") -> httpx.Response:
    query = {"query": "{ product(id: 1) { name } }"}
    sent = {"params": query} if method == "GET" else {"json": query}
    return gateway.http.request(method, "/graphql", **sent)  # type: ignore[arg-type]


def told(gateway: Gateway, kind: str) -> tuple[float, float]:
    figures = scraped(gateway.http)
    return figures["reviews_requests_running", kind], figures["reviews_requests_queued", kind]


def test_beyond_its_room_a_gateway_refuses_and_says_so_then_answers_all_who_waited(narrow: Settings) -> None:
    with running_gateway(narrow) as full, ThreadPoolExecutor(3) as clients:
        with locked(full.database, "products"):
            asking = [clients.submit(name, full) for _ in range(3)]
            wait_for(lambda: told(full, "read") == (2, 1))
            began = time.monotonic()
            for method in ("GET", "POST"):
                answer = name(full, method)
                (error,) = answer.json()["errors"]
                assert (answer.status_code, error["extensions"]["code"]) == (503, "OVERLOADED")
                assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")
                assert error["message"] == "Too much is asked of this server at the moment: ask again later."
            # Nobody waited for the lock.
            assert time.monotonic() - began < 10
            assert full.http.get("/readyz").status_code == 200
        assert [one.result().json() for one in asking] == [{"data": {"product": {"name": "Camo Onesie"}}}] * 3
        assert told(full, "read") == (0, 0)
        assert scraped(full.http)["reviews_refusals_total", "OVERLOADED"] == 2


def test_an_answer_with_many_objects_takes_the_room_of_several(narrow: Settings) -> None:
    many = "{ catalog(first: 100) { nodes { name ratingSummary { count } } } }"
    with running_gateway(narrow) as full, ThreadPoolExecutor(2) as clients:
        with locked(full.database, "products"):
            large = clients.submit(full.send, many)
            wait_for(lambda: told(full, "read") == (1, 0))
            small = clients.submit(name, full)
            wait_for(lambda: told(full, "read") == (1, 1))
        assert "errors" not in large.result()
        assert small.result().status_code == 200


def test_mutations_have_a_room_of_their_own(narrow: Settings, shop: Shop) -> None:
    vote = {"input": {"reviewId": str(shop.review(shop.product()))}}
    with running_gateway(narrow) as full, ThreadPoolExecutor(9) as clients:
        with locked(full.database, "reviews"):
            voting = [clients.submit(full.send, MARK, **vote) for _ in range(9)]
            wait_for(lambda: told(full, "write") == (8, 1) and waiting(full.database) == 1)
            assert full.refusal(MARK, **vote)[0] == "OVERLOADED"
            assert name(full).status_code == 200
        assert ["errors" in one.result() for one in voting] == [False] * 9
