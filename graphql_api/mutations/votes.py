"""Helpful votes in SQL: one by itself, which waits for its review, and many at once, which wait for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary, cast, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import CTE

from graphql_api.db.models import HelpfulVote, Review
from graphql_api.mutations.statement import CLIENT, VOTER, XID
from graphql_api.mutations.targets import Locked, OfTarget, Target
from graphql_api.mutations.transaction import Touched, Transaction
from loaders.batch import arrays_table
from loaders.statement import Writing
from loaders.tags import of_product

MOST_VOTES = 2**31 - 1  # what the column holds: a count that is full stays full

_COLUMNS = ["product_id", "review_id", "voter", "client"]
_ONE_PER_VOTER = [HelpfulVote.product_id, HelpfulVote.review_id, HelpfulVote.voter]


class Vote(NamedTuple):
    """A vote for the review of those numbers: the digests of the voter and of the client, where they are known."""

    product_id: int
    review_id: int
    voter: bytes | None
    client: bytes | None


class Voted(NamedTuple):
    """The review, whether the vote counted, and what its transaction touched."""

    target: Target
    counted: bool
    touched: Touched


def _stored(votes: Locked) -> CTE:
    """The votes that are new. One of the same voter that is under way elsewhere has the review's lock, as this has."""
    return (
        insert(HelpfulVote)
        .from_select(_COLUMNS, votes)
        .on_conflict_do_nothing(index_elements=_ONE_PER_VOTER)
        .returning(HelpfulVote.product_id, HelpfulVote.review_id, HelpfulVote.voter)
        .cte("stored")
    )


def _counted(of: CTE, votes: ColumnElement[int]) -> CTE:
    """The reviews whose count takes in the ``votes`` of a row ``of``."""
    most = literal(MOST_VOTES, literal_execute=True)
    return (
        update(Review)
        .where(Review.product_id == of.c.product_id, Review.review_id == of.c.review_id)
        .values(helpfulness=func.least(Review.helpfulness, most - votes) + votes)
        .returning(Review.review_id)
        .cte("counted")
    )


def _vote_for(found: Locked) -> Locked:
    """One statement: lock the review that is ``found``, store the vote, and count it if it was stored."""
    target = found.cte("target")
    stored = _stored(select(target.c.product_id, target.c.review_id, VOTER, CLIENT).where(~target.c.reported))
    counted = _counted(stored, literal(1, literal_execute=True))
    votes = select(func.count()).select_from(counted).scalar_subquery().label("votes")
    return select(target.c.product_id, target.c.review_id, target.c.reported, target.c.xid, votes)


_one = OfTarget("vote", _vote_for)


def _vote_for_all() -> Locked:
    """The same for the votes of arrays, but for reviews that somebody else has locked; a row a vote that was stored.

    It waits for no lock, so it may hold many and is in no deadlock.
    """
    asked = arrays_table(
        ("product_ids", BigInteger()),
        ("review_ids", BigInteger()),
        ("voters", LargeBinary()),
        ("clients", LargeBinary()),
    )
    below = tuple_(Review.product_id, Review.review_id)
    target = (
        select(Review.product_id, Review.review_id, Review.reported, XID)
        .where(below.in_(select(asked.c.product_ids, asked.c.review_ids)))
        .with_for_update(key_share=True, skip_locked=True)
        .cte("target")
    )
    is_its = (target.c.product_id == asked.c.product_ids) & (target.c.review_id == asked.c.review_ids)
    stored = _stored(
        select(asked.c.product_ids, asked.c.review_ids, asked.c.voters, asked.c.clients)
        .join(target, is_its)
        .where(~target.c.reported)
    )
    below_stored = (stored.c.product_id, stored.c.review_id)
    counts = select(*below_stored, cast(func.count(), Integer).label("votes")).group_by(*below_stored).cte("counts")
    is_stored = (stored.c.product_id == target.c.product_id) & (stored.c.review_id == target.c.review_id)
    return (
        select(target.c.product_id, target.c.review_id, target.c.reported, target.c.xid, stored.c.voter,
               stored.c.product_id.is_not(None))
        .outerjoin_from(target, stored, is_stored)
        .add_cte(_counted(counts, counts.c.votes))
    )  # fmt: skip


_all = Writing("votes", _vote_for_all())


async def vote(
    connection: PoolConnectionProxy, any_id: str, voter: bytes | None, client: bytes | None
) -> tuple[Target | None, bool]:
    """The review, and whether the vote counted. One that is hidden is not voted for."""
    row = await _one.first(connection, any_id, voter=voter, client=client)
    if row is None:
        return None, False
    *target, counted = row
    return Target(*target), counted > 0


async def vote_together(made: Transaction, votes: Sequence[Vote]) -> list[Voted | None]:
    """What became of each of ``votes``; ``None`` where there is no such review, or somebody else has it locked."""
    columns: list[Sequence[Any]] = list(zip(*votes, strict=True))
    names = ("product_ids", "review_ids", "voters", "clients")
    rows = await _all.rows(made.connection, **dict(zip(names, map(list, columns), strict=True)))
    targets: dict[tuple[int, int], Target] = {}
    stored: set[tuple[int, int, bytes | None]] = set()
    for product_id, review_id, reported, xid, voter, is_stored in rows:
        targets[product_id, review_id] = Target(product_id, review_id, reported, xid)
        if is_stored:
            stored.add((product_id, review_id, voter))
    if not targets:
        return [None] * len(votes)
    # Their changes are recorded in one row, below the first product.
    products = {product_id for product_id, *_ in stored} or {next(iter(targets))[0]}
    first, alone = min(products), len(products) == 1
    done: list[Voted | None] = []
    for product_id, review_id, voter, _ in votes:
        target = targets.get((product_id, review_id))
        if target is None:
            done.append(None)
            continue
        key = (product_id, review_id, voter)
        counted = key in stored
        if voter is not None:
            stored.discard(key)  # a copy in the same transaction does not count
        made.touched = Touched(target.xid, {of_product(product_id)}, first, alone=alone and product_id == first)
        done.append(Voted(target, counted, made.touched))
    return done
