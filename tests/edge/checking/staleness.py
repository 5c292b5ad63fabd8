"""How long it takes until an edge shows what was written another way."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg

from tests.edge.checking.client import Connection, get, post
from tests.edge.checking.questions import path_of
from tests.edge.checking.world import Shown, World
from tests.edge.checking.writes import VOTE

WRITES = 300
_PATIENCE_S = 5.0
_VALUE = re.compile(rb'"v":(\d+)')


class Delays(NamedTuple):
    """From the acknowledgement of a write to the first read that shows it, in milliseconds."""

    median_ms: float
    p99_ms: float
    longest_ms: float


async def delays_of_votes(written: str, read: str, world: World) -> Delays:
    """Votes through the edge ``written``, seen at the edge ``read``."""
    connection = Connection(_address(written))

    async def vote(product: Shown) -> None:
        body = json.dumps({"query": VOTE, "variables": {"input": {"reviewId": str(product.voted)}}}).encode()
        product.votes.begun_up += 1
        answer = await connection.ask(post(body))
        assert answer.status == 200, answer
        product.votes.up[0] += 1

    try:
        return await _delays(vote, read, world)
    finally:
        await connection.close()


async def delays_of_sql(url: str, read: str, world: World) -> Delays:
    """Updates of the table by hand, seen at the edge ``read``."""
    database = await asyncpg.connect(url)

    async def update(product: Shown) -> None:
        product.votes.begun_up += 1
        await database.execute(
            "UPDATE reviews SET helpfulness = helpfulness + 1 WHERE product_id = $1 AND review_id = $2",
            product.number,
            product.voted,
        )

    try:
        return await _delays(update, read, world)
    finally:
        await database.close()


async def _delays(write: Callable[[Shown], Awaitable[None]], read: str, world: World) -> Delays:
    connection = Connection(_address(read))
    found = []
    for n in range(WRITES):
        # Of the products that the load seldom asks for: nobody else votes meanwhile, and the page is in the cache.
        product = world.products[len(world.products) - 1 - n]
        request = get(path_of("Review", {"id": str(product.voted)}))
        before = await _value(connection, request)
        await write(product)
        started = time.monotonic()
        while await _value(connection, request) == before:
            assert time.monotonic() - started < _PATIENCE_S, "never seen"
            await asyncio.sleep(0.001)
        found.append((time.monotonic() - started) * 1000)
    await connection.close()
    found.sort()
    return Delays(round(statistics.median(found), 1), round(found[int(len(found) * 0.99) - 1], 1), round(found[-1], 1))


async def _value(connection: Connection, request: bytes) -> int:
    answer = await connection.ask(request)
    shown = _VALUE.search(answer.body)
    assert shown is not None, answer
    return int(shown[1])


def _address(edge: str) -> tuple[str, int]:
    host, port = edge.rsplit(":", 1)
    return host, int(port)
