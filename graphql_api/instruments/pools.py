"""The connections to the database, counted when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import asyncpg

from graphql_api.db.engine import Database
from graphql_api.db.pooler import TransactionPool
from graphql_api.db.standbys import Standby, Standbys
from graphql_api.instruments.families import Rows


class Pool(NamedTuple):
    """A pool's connections, how many of them nobody uses, and how many wait for one."""

    name: str
    size: int
    idle: int
    waiting: int


def opened(database: Database, standbys: Standbys | None, kept: Callable[[Standby | None], int]) -> Iterator[Pool]:
    """The open pools. ``kept`` gives the connections of each that are out, but used by no batch."""
    yield _of("read", _pool(database.reads), kept(None))
    yield _of("write", database.writes.pool, database.writes.leases.unused)
    for standby in standbys.all if standbys else ():
        yield _of("standby", _pool(standby.reads), kept(standby))


def _of(name: str, pool: asyncpg.Pool, kept: int = 0) -> Pool:
    # asyncpg tells nobody who waits for a connection. Whoever gave up is in its queue until his turn.
    waiting = sum(not one.done() for one in pool._queue._getters)  # noqa: SLF001
    return Pool(name, pool.get_size(), pool.get_idle_size() + kept, waiting)


def _pool(reads: asyncpg.Pool | TransactionPool) -> asyncpg.Pool:
    return reads.pool if isinstance(reads, TransactionPool) else reads


def connections(pools: Iterable[Pool]) -> Rows:
    """By pool and state."""
    rows: Rows = {}
    for pool in pools:
        for state, count in (("in_use", pool.size - pool.idle), ("idle", pool.idle)):
            (before,) = rows.get((pool.name, state), [0.0])
            rows[pool.name, state] = [before + count]
    return rows


def waiting(pools: Iterable[Pool]) -> Rows:
    """By pool."""
    rows: Rows = {}
    for pool in pools:
        (before,) = rows.get((pool.name,), [0.0])
        rows[(pool.name,)] = [before + pool.waiting]
    return rows
