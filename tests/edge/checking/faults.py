"""A fault under load: what the reads showed, what became of acknowledged writes, and how long it took to mend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from tests.edge.checking.load import Findings, Load
from tests.edge.checking.world import World

_SHOWN = """
SELECT product_id, count(*) FILTER (WHERE NOT reported) AS visible FROM reviews
WHERE product_id = any($1::bigint[]) GROUP BY product_id
"""
_VOTES = "SELECT review_id, helpfulness FROM reviews WHERE review_id = any($1::bigint[])"


@dataclass
class Outcome:
    """What a fault has shown. ``recovery_s``: from its end until all was well; ``lost``: acknowledged and not there."""

    name: str
    findings: Findings
    recovery_s: float
    lost: int
    doubled: int

    HEAD = (
        f"{'fault':34}{'requests':>9}{'stale':>6}{'wrong':>6}{'errors':>7}{'acknowledged':>13}{'lost':>5}{'doubled':>8}"
        f"{'recovery':>9}  refused, by code"
    )

    def line(self) -> str:
        """A row of the table of ``HEAD``. ``errors`` are those that a client should not be told."""
        of = self.findings
        return (
            f"{self.name:34}{of.reads + of.writes:>9}{of.stale:>6}{of.wrong:>6}{of.errors:>7}{of.acknowledged:>13}"
            f"{self.lost:>5}{self.doubled:>8}{self.recovery_s:>8.2f}s  {dict(of.codes)}"
        )


Fault = Callable[[Load], Awaitable[float]]
"""Does it and mends it, while the load runs. Returns the seconds from its end until all was well."""


async def under_load(
    name: str,
    url: str,
    edges: list[str],
    fault: Fault,
    *,
    most: int,
    seconds: float,
    forgiving: bool = False,
    retrying: bool = False,
) -> Outcome:
    """Load ``edges`` for ``seconds`` before and after the fault."""
    world = await World.of(url, most=most, edges=len(edges))
    load = Load(world, edges, forgiving=forgiving, retrying=retrying)
    await load.register()
    loading = asyncio.create_task(load.run(connections=24))
    await asyncio.sleep(seconds)
    recovery = await fault(load)
    await asyncio.sleep(seconds)
    load.stop()
    findings = await loading
    lost, doubled = await _kept(url, world)
    return Outcome(name, findings, recovery, lost, doubled)


async def _kept(url: str, world: World) -> tuple[int, int]:
    """How many quantities lack something acknowledged, and how many have more than was ever begun."""
    connection = await asyncpg.connect(url)
    try:
        visible = dict(await connection.fetch(_SHOWN, [product.number for product in world.products]))
        votes = dict(await connection.fetch(_VOTES, [product.voted for product in world.products]))
    finally:
        await connection.close()
    lost = doubled = 0
    for product in world.products:
        for quantity, value in ((product.count, visible[product.number]), (product.votes, votes[product.voted])):
            if value < quantity.base + sum(quantity.up) - quantity.begun_down:
                lost += 1
            if value > quantity.base + quantity.begun_up - sum(quantity.down):
                doubled += 1
    return lost, doubled


async def all_well(load: Load, since: float, patience_s: float) -> float:
    """Seconds from ``since`` until the last failure, once a replica has read and written and nothing failed for 1 s."""
    while True:
        now = time.monotonic()
        if min(load.read_at, load.wrote_at) > since and now > max(since, load.failed_at) + 1:
            return max(0.0, load.failed_at - since)
        if now - since > patience_s:
            raise TimeoutError(f"not well within {patience_s:g} s: {load.findings.told[-3:]}")
        await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool], patience_s: float) -> float:
    """Seconds until ``condition`` holds."""
    started = time.monotonic()
    while not await asyncio.to_thread(condition):
        if time.monotonic() - started > patience_s:
            raise TimeoutError(f"not within {patience_s:g} s")
        await asyncio.sleep(0.01)
    return time.monotonic() - started
