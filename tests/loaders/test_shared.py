"""Loaders that batch across requests: what shares a statement, what does not, and what a fault takes along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import pytest

from graphql_api.db.engine import Database, open_database
from graphql_api.schema.product_connection import product_connection
from graphql_api.settings import Settings
from loaders import shared
from loaders.batch import BatchLoader, Extent, Kind
from loaders.observer import Asker, Batch
from loaders.page import Window
from loaders.photos import PhotosByReview
from loaders.products import FiguresByProduct, ProductsById
from loaders.ratings import RatingsByReview
from loaders.review_pages import ReviewPages
from loaders.review_selection import ReviewFilter, ReviewPageKey, ReviewSelection
from loaders.shared import SharedLoaders
from tests.harness.databases import run
from tests.harness.gateway import Gateway, recorded_statements
from tests.harness.shop import Shop

Result = TypeVar("Result")


class Held(BatchLoader[int, int]):
    """Doubles its keys, once it is let go; refuses negative ones. ``selection`` is the ``Gate`` at which it waits."""

    async def batch_load_fn(self, keys: list[int]) -> list[int]:
        self.selection.begun.append(keys)
        try:
            await self.selection.open.wait()
        except asyncio.CancelledError:
            self.selection.ended.append(keys)
            raise
        if min(keys) < 0:
            raise ValueError(keys)
        return [key * 2 for key in keys]


class Gate:
    """Holds batches until it is opened, and knows which have begun, and which were ended."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun: list[list[int]] = []
        self.ended: list[list[int]] = []


@pytest.fixture
def loading(gateway: Gateway) -> Callable[[Callable[[SharedLoaders, Database], Awaitable[Result]]], Result]:
    """Runs a test's coroutine with shared loaders on the gateway's database."""

    def go(test: Callable[[SharedLoaders, Database], Awaitable[Result]], patience_s: float = 10) -> Result:
        async def running() -> Result:
            async with open_database(gateway.database, Settings()) as database:
                loaders = SharedLoaders(database.reads, patience_s)
                try:
                    return await test(loaders, database)
                finally:
                    await loaders.close()

        return asyncio.run(running())

    return go


async def turn() -> None:
    """Let everything run that is ready, and what it makes ready."""
    for _ in range(4):
        await asyncio.sleep(0)


def test_alone_a_load_waits_for_nothing(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> list[list[int]]:
        gate = Gate()
        waiting = loaders.load(Kind(Held, gate), (1,))
        await turn()
        begun = list(gate.begun)
        gate.open.set()
        assert await waiting == [2]
        return begun

    assert loading(test) == [[1]]


def test_loads_of_one_turn_share_a_statement_and_equal_keys_are_asked_once(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        gate.open.set()
        waiting = [loaders.load(Kind(Held, gate), keys) for keys in ((1, 2), (2,), (3, 1))]
        return [await one for one in waiting], gate.begun

    assert loading(test) == ([[2, 4], [4], [6, 2]], [[1, 2, 3]])


def test_what_comes_while_statements_are_under_way_shares_the_next_one(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        waiting = []
        for key in range(2 + shared.MOST_KEYS):
            waiting.append(loaders.load(Kind(Held, gate), (key,)))
            await turn()
        under_way = list(gate.begun)
        gate.open.set()
        assert [await one for one in waiting] == [[key * 2] for key in range(2 + shared.MOST_KEYS)]
        return under_way, gate.begun[len(under_way) :]

    under_way, later = loading(test)
    assert under_way == [[0], [1]]
    assert later == [list(range(2, 2 + shared.MOST_KEYS))]


def test_a_key_does_not_join_a_statement_that_has_begun(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        first = loaders.load(Kind(Held, gate), (1,))
        await turn()
        second = loaders.load(Kind(Held, gate), (1,))
        await turn()
        gate.open.set()
        return await first, await second, gate.begun

    assert loading(test) == ([2], [2], [[1], [1]])


def test_a_statement_has_a_bounded_number_of_keys(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        gate.open.set()
        count = 2 * shared.MOST_KEYS + 1
        waiting = [loaders.load(Kind(Held, gate), (key,)) for key in range(count)]
        assert [await one for one in waiting] == [[key * 2] for key in range(count)]
        return [len(keys) for keys in gate.begun]

    assert loading(test) == [shared.MOST_KEYS, shared.MOST_KEYS, 1]


def test_a_failing_statement_fails_those_in_it_alone(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        bad = [loaders.load(Kind(Held, gate), (key,)) for key in (-1, 5)]
        await turn()
        good = loaders.load(Kind(Held, gate), (6,))
        gate.open.set()
        return await asyncio.gather(*bad, good, return_exceptions=True)

    one, two, three = loading(test)
    assert (str(one), str(two), three) == ("[-1, 5]", "[-1, 5]", [12])


def test_one_who_leaves_takes_nobody_along(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        leaving, staying = (loaders.load(Kind(Held, gate), (key,)) for key in (1, 1))
        late = [loaders.load(Kind(Held, gate), (2,))]
        await turn()
        leaving.cancel()
        late += [loaders.load(Kind(Held, gate), (3,))]
        late[1].cancel()
        gate.open.set()
        return await staying, await late[0], gate.begun

    assert loading(test) == ([2], [4], [[1, 2]])


def test_a_batch_is_ended_when_the_last_who_waits_leaves_and_no_sooner(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        kind = Kind(Held, gate)
        one, other = (loaders.load(kind, (key,)) for key in (1, 2))
        await turn()
        seen = []
        for leaving in (one, other):
            leaving.cancel()
            loaders.abandoned(kind)
            await turn()
            seen.append(list(gate.ended))
        return gate.begun, seen

    assert loading(test) == ([[1, 2]], [[], [[1, 2]]])


def test_loaders_of_batches_that_are_ended_are_forgotten(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> int:
        for _turn in range(shared.MOST_IDLE + 20):
            kind = Kind(Held, Gate())
            leaving = loaders.load(kind, (1,))
            await turn()
            leaving.cancel()
            loaders.abandoned(kind)
            await turn()
        return len(loaders._loaders)

    assert loading(test) <= shared.MOST_IDLE + 1


def test_what_waits_behind_batches_that_are_ended_begins_at_once(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        kind = Kind(Held, gate)
        leaving = []
        for key in range(shared.MOST_UNDER_WAY):
            leaving.append(loaders.load(kind, (key,)))
            await turn()
        staying = loaders.load(kind, (7,))
        gone = loaders.load(kind, (8,))
        await turn()
        for one in (*leaving, gone):
            one.cancel()
            loaders.abandoned(kind)
        await turn()
        gate.open.set()
        return await staying, gate.begun, gate.ended

    assert loading(test) == ([14], [[0], [1], [7]], [[0], [1]])


def test_a_load_whose_statement_does_not_begin_in_time_says_so(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> Any:
        gate = Gate()
        waiting = []
        for key in range(3):
            waiting.append(loaders.load(Kind(Held, gate), (key,)))
            await turn()
        await asyncio.sleep(0.1)
        gate.open.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    one, two, three = loading(test, patience_s=0.05)
    assert (one, two, type(three)) == ([0], [2], TimeoutError)


def test_nothing_is_kept_from_one_batch_to_the_next(loading: Any, gateway: Gateway, shop: Shop) -> None:
    product = shop.product(name="Before").number

    async def test(loaders: SharedLoaders, _: Database) -> list[str]:
        names = []
        for name in ("Before", "After"):
            await asyncio.to_thread(
                run, gateway.database, "UPDATE products SET name = $1 WHERE product_id = $2", name, product
            )
            ((row,),) = (await loaders.load(Kind(ProductsById), (product,)),)
            names.append(row.name)
        return names

    assert loading(test) == ["Before", "After"]


def test_rows_ahead_are_those_of_their_own_loaders(loading: Any) -> None:
    ahead = tuple(sorted(ProductsById.may_have_ahead, key=lambda loader: loader.noun))

    async def test(loaders: SharedLoaders, _: Database) -> Any:
        keys = list(range(13))
        with recorded_statements() as statements:
            rows = await loaders.load(Kind(ProductsById, None, Extent(ahead)), keys)
        apart = [await loaders.load(Kind(loader), keys) for loader in ahead]
        return rows, [dict(zip(keys, values, strict=True)) for values in apart], statements

    rows, apart, statements = loading(test)
    assert statements == ["products by id with characteristics and figures"]
    assert [row and row.product_id for row in rows] == [None, *range(1, 11), None, None]
    for row in rows[1:11]:
        assert row.ahead == tuple(values[row.product_id] for values in apart)


def test_photos_and_ratings_ahead_of_pages_are_those_of_their_own_loaders(loading: Any) -> None:
    ahead: tuple[Any, ...] = (PhotosByReview, RatingsByReview)
    everything = ReviewSelection("NEWEST", ReviewFilter(), Window(100), has_after=False, has_before=False)

    async def test(loaders: SharedLoaders, _: Database) -> Any:
        pages = await loaders.load(Kind(ReviewPages, everything, Extent(ahead)), [ReviewPageKey(n) for n in range(13)])
        rows = [row for page in pages for row in page.rows]
        keys = [(row.product_id, row.review_id) for row in rows]
        return rows, [await loaders.load(Kind(loader), keys) for loader in ahead]

    rows, apart = loading(test)
    assert {bool(row.ahead[0]) for row in rows} == {True, False}, "some have photos, and some have none"
    assert [row.ahead for row in rows] == list(zip(*apart, strict=True))


def test_loaders_that_nobody_waits_for_are_not_kept_without_end(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> int:
        for _ in range(shared.MOST_IDLE * 2):
            gate = Gate()
            gate.open.set()
            await loaders.load(Kind(Held, gate), (1,))
        await turn()
        return len(loaders._loaders)

    assert loading(test) <= shared.MOST_IDLE + 1


def test_connections_are_kept_between_batches_and_given_back_at_the_end(loading: Any) -> None:
    async def test(loaders: SharedLoaders, database: Database) -> tuple[int, int]:
        for _ in range(5):
            await loaders.load(Kind(FiguresByProduct), (1,))
        kept = database.reads.get_size() - database.reads.get_idle_size()  # type: ignore[union-attr] # no PgBouncer here
        await loaders.close()
        return kept, database.reads.get_size() - database.reads.get_idle_size()  # type: ignore[union-attr] # the same

    assert loading(test) == (1, 0)


def test_whoever_else_reads_gets_a_connection_though_there_is_one_in_all(gateway: Gateway) -> None:
    async def test() -> int:
        async with open_database(gateway.database, Settings(read_connections=1)) as database:
            loaders = SharedLoaders(database.reads, 10)
            await loaders.load(Kind(FiguresByProduct), (1,))
            async with asyncio.timeout(5), database.reads.acquire() as connection:
                return int(await connection.fetchval("SELECT 1"))

    assert asyncio.run(test()) == 1


def test_many_kinds_at_once_leave_connections_to_others(gateway: Gateway) -> None:
    async def test() -> tuple[int, int]:
        async with open_database(gateway.database, Settings(read_connections=4)) as database:
            loaders = SharedLoaders(database.reads, 10)
            kinds = [Kind(ProductsById, None, Extent(ahead)) for ahead in ((), (FiguresByProduct,))]
            for _ in range(5):
                await asyncio.gather(*(loaders.load(kind, (key,)) for kind in kinds for key in range(3)))
            reads = database.reads
            kept = reads.get_size() - reads.get_idle_size()  # type: ignore[union-attr] # no PgBouncer here
            async with asyncio.timeout(5), reads.acquire() as connection:
                one = int(await connection.fetchval("SELECT 1"))
            await loaders.close()
            return one, kept

    one, kept = asyncio.run(test())
    assert (one, kept <= 2) == (1, True)


def test_a_batch_that_is_cancelled_leaves_nobody_waiting(loading: Any) -> None:
    async def test(loaders: SharedLoaders, _: Database) -> bool:
        kind = Kind(Held, Gate())
        waiting = loaders.load(kind, (1,))
        await turn()
        (task,) = loaders._loaders[kind]._tasks
        task.cancel()
        await turn()
        return waiting.cancelled()

    assert loading(test)


def test_searches_of_the_catalogue_share_no_queue_with_other_pages() -> None:
    plain, search = (product_connection(5, None, None, None, None, text) for text in (None, "sun"))
    assert plain.page().kind != search.page().kind
    assert plain.count().kind != search.count().kind


class Asking:
    """Somebody who loads."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, Batch]] = []
        self.settled = 0.0


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Batch, list[Asker | None]]] = []
        self.statements: list[tuple[str, float]] = []

    def batch(self, batch: Batch, askers: Iterable[Asker | None]) -> None:
        self.told.append((batch, list(askers)))

    def statement(self, loader: str, seconds: float) -> None:
        self.statements.append((loader, seconds))


def test_whoever_asks_is_told_of_the_batches_that_had_its_keys_and_the_observer_of_all(loading: Any) -> None:
    async def test(_: SharedLoaders, database: Database) -> tuple[Listening, Asking, Asking, list[bool]]:
        listening, first, second, gate = Listening(), Asking(), Asking(), Gate()
        loaders = SharedLoaders(database.reads, 10, listening)
        kind = Kind(Held, gate)
        pending = [
            loaders.load(kind, [1, 2], first),
            loaders.load(kind, [2, 3], second),
            loaders.load(kind, [4]),
        ]
        await turn()
        later = loaders.load(kind, [-1], second)
        await turn()
        unfinished = [batch.ended == 0 for _, batch in second.batches]
        gate.open.set()
        await asyncio.gather(*pending, later, return_exceptions=True)
        return listening, first, second, unfinished

    listening, first, second, unfinished = loading(test)
    (shared_batch, askers), (failed, alone) = listening.told
    assert (shared_batch.loader, shared_batch.keys, failed.keys) == ("Held", 4, 1)
    assert (askers, alone) == ([first, second, None], [second])
    assert [batch for _, batch in first.batches] == [shared_batch]
    assert [batch for _, batch in second.batches] == [shared_batch, failed]
    assert unfinished == [True, True]
    assert 0 < shared_batch.asked <= shared_batch.began <= shared_batch.ended
    assert [asked >= shared_batch.asked for asked, _ in second.batches] == [True, True]


def test_the_observer_is_told_of_each_statement_with_its_loader(loading: Any) -> None:
    async def test(_: SharedLoaders, database: Database) -> list[tuple[str, float]]:
        listening = Listening()
        loaders = SharedLoaders(database.reads, 10, listening)
        await loaders.load(Kind(ProductsById), [1, 2])
        await loaders.load(Kind(FiguresByProduct), [1])
        await loaders.close()
        return listening.statements

    statements = loading(test)
    assert [name for name, _ in statements] == ["ProductsById", "FiguresByProduct"]
    assert [seconds > 0 for _, seconds in statements] == [True, True]
