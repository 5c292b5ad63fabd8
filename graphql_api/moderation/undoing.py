"""Votes and reports taken out of the count, and back in. Their rows stay: who voted once cannot vote again."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ARRAY, BigInteger, Table, bindparam, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import HelpfulVote, Moderation, Report, Review
from graphql_api.errors import OperatorError
from graphql_api.moderation.deciding import By, Done, Outcome, among, arrays, locked, next_number, note
from graphql_api.moderation.wanted import Wanted
from graphql_api.mutations.reports import RESTORE, counted_reports, decision
from graphql_api.mutations.votes import MOST_VOTES

UNDO_VOTES, UNDO_REPORTS, REDO = "UNDO_VOTES", "UNDO_REPORTS", "REDO"
_OF: dict[str, Any] = {UNDO_VOTES: HelpfulVote, UNDO_REPORTS: Report}

_changed = (
    func.unnest(
        bindparam("products", type_=ARRAY(BigInteger)),
        bindparam("reviews", type_=ARRAY(BigInteger)),
        bindparam("amounts", type_=ARRAY(BigInteger)),
    )
    .table_valued("product_id", "review_id", "amount", name="changed")
    .render_derived()
)


async def undo(connection: AsyncConnection, action: str, wanted: Wanted, by: By, enough: int) -> Outcome:
    """Take the votes or reports that are ``wanted`` out of the count.

    A review that reports have hidden is shown again where fewer than ``enough`` are left, unless an operator has
    decided of it, or the files have hidden it too.
    """
    model = _OF[action]
    conditions = [model.undone_by.is_(None), *wanted.conditions(model)]
    of_review = (model.product_id == Review.product_id, model.review_id == Review.review_id)
    found = await locked(connection, exists().where(*of_review, *conditions))
    number = await next_number(connection)
    # Only of the reviews that are locked: one that got its first vote since then waits for the next command.
    marked = update(model).where(among(model), *conditions).values(undone_by=number)
    amounts = await _by_review(connection, marked, model, arrays(list(found)))
    if action == UNDO_VOTES:
        await _add_votes(connection, amounts, -1)
    else:
        await _show(connection, amounts, enough)
    return await _noted(connection, action, found, amounts, by, number)


async def redo(connection: AsyncConnection, number: int, by: By, enough: int) -> Outcome:
    """Count again what the moderation ``number`` took out. Raises ``OperatorError`` where it took nothing out."""
    of = select(Moderation.action).where(Moderation.moderation_id == number, Moderation.action.in_(_OF)).limit(1)
    action = await connection.scalar(of)
    if action is None:
        raise OperatorError(f"Moderation {number} took no votes or reports out of the count: log lists those that did.")
    model = _OF[action]
    below = (model.product_id == Review.product_id, model.review_id == Review.review_id)
    found = await locked(connection, exists().where(*below, model.undone_by == number))
    marked = update(model).where(among(model), model.undone_by == number).values(undone_by=None)
    amounts = await _by_review(connection, marked, model, arrays(list(found)))
    if action == UNDO_VOTES:
        await _add_votes(connection, amounts, +1)
    else:
        await _hide(connection, amounts, enough)
    return await _noted(connection, REDO, found, amounts, by, await next_number(connection))


async def _by_review(
    connection: AsyncConnection, marked: Any, model: Any, parameters: dict[str, list[int]]
) -> dict[tuple[int, int], int]:
    """Run the update ``marked``; by review, how many rows it changed."""
    rows = marked.returning(model.product_id, model.review_id).cte("marked")
    counted = select(rows.c.product_id, rows.c.review_id, func.count()).group_by(rows.c.product_id, rows.c.review_id)
    return {(product, review): n for product, review, n in await connection.execute(counted, parameters)}


async def _add_votes(connection: AsyncConnection, amounts: dict[tuple[int, int], int], sign: int) -> None:
    changed = func.greatest(0, func.least(Review.helpfulness + _changed.c.amount, MOST_VOTES))
    statement = (
        update(Review)
        .where(Review.product_id == _changed.c.product_id, Review.review_id == _changed.c.review_id)
        .values(helpfulness=changed)
    )
    parameters = {**arrays(list(amounts)), "amounts": [sign * n for n in amounts.values()]}
    await connection.execute(statement, parameters)


async def _show(connection: AsyncConnection, amounts: dict[tuple[int, int], int], enough: int) -> None:
    one = (Review.product_id, Review.review_id)
    hid_by_reports = exists().where(
        Report.product_id == Review.product_id, Report.review_id == Review.review_id, Report.found_visible
    )
    statement = update(Review).where(
        among(Review),
        Review.reported,
        hid_by_reports,
        decision(*one).correlate(_reviews()).scalar_subquery().is_(None),
        counted_reports(*one).correlate(_reviews()).scalar_subquery() < enough,
    )
    await connection.execute(statement.values(reported=False), arrays(list(amounts)))


async def _hide(connection: AsyncConnection, amounts: dict[tuple[int, int], int], enough: int) -> None:
    one = (Review.product_id, Review.review_id)
    statement = update(Review).where(
        among(Review),
        ~Review.reported,
        decision(*one).correlate(_reviews()).scalar_subquery().is_distinct_from(RESTORE),
        counted_reports(*one).correlate(_reviews()).scalar_subquery() >= enough,
    )
    await connection.execute(statement.values(reported=True), arrays(list(amounts)))


def _reviews() -> Table:
    return cast("Table", Review.__table__)


async def _noted(
    connection: AsyncConnection,
    action: str,
    found: dict[tuple[int, int], bool],
    amounts: dict[tuple[int, int], int],
    by: By,
    number: int,
) -> Outcome:
    if not amounts:
        return Outcome(None, action, [])
    now = select(Review.product_id, Review.review_id, Review.reported).where(among(Review))
    hidden = {(product, review): is_ for product, review, is_ in await connection.execute(now, arrays(list(amounts)))}
    done = [Done(*pair, n, found[pair], hidden[pair]) for pair, n in sorted(amounts.items())]
    return await note(connection, number, action, done, by)
