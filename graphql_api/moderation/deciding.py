"""Hiding and restoring reviews: what an operator decides holds against reports and files alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import Moderation, Review, moderation_numbers
from graphql_api.errors import OperatorError
from graphql_api.moderation.wanted import one_of
from graphql_api.mutations.reports import HIDE


class By(NamedTuple):
    """Who does it, and why."""

    name: str
    note: str | None


class Done(NamedTuple):
    """What became of one review. ``counted``: how many votes or reports went out of the count, or into it."""

    product_id: int
    review_id: int
    counted: int
    was_hidden: bool
    hidden: bool


class Outcome(NamedTuple):
    """What one command did, and under which number it stands in the log; no number where it did nothing."""

    number: int | None
    action: str
    done: list[Done]


_pairs = (
    func.unnest(bindparam("products", type_=ARRAY(BigInteger)), bindparam("reviews", type_=ARRAY(BigInteger)))
    .table_valued("product_id", "review_id", name="pairs")
    .render_derived()
)


def among(model: Any) -> Any:
    """Whether a row of ``model`` is of one of the reviews ``products`` and ``reviews``, two parallel arrays."""
    return tuple_(model.product_id, model.review_id).in_(select(_pairs.c.product_id, _pairs.c.review_id))


async def locked(connection: AsyncConnection, which: Any) -> dict[tuple[int, int], bool]:
    """Lock the reviews that meet ``which``, in the order of all writers; by numbers, whether each is hidden."""
    statement = (
        select(Review.product_id, Review.review_id, Review.reported)
        .where(which)
        .order_by(Review.product_id, Review.review_id)
        .with_for_update(key_share=True)
    )
    return {(row.product_id, row.review_id): row.reported for row in await connection.execute(statement)}


def arrays(pairs: Sequence[tuple[int, int]]) -> dict[str, list[int]]:
    """The parameters ``products`` and ``reviews``."""
    return {"products": [product for product, _ in pairs], "reviews": [review for _, review in pairs]}


async def decide(connection: AsyncConnection, action: str, reviews: Sequence[tuple[int, ...]], by: By) -> Outcome:
    """Hide or restore ``reviews``. Raises ``OperatorError`` where one is not there, with nothing changed."""
    found = await locked(connection, or_(*(one_of(Review, numbers) for numbers in reviews)))
    known = {*found, *((review,) for _, review in found)}
    missing = [numbers for numbers in reviews if numbers not in known]
    if missing:
        raise OperatorError(f"There is no review {', '.join(str(one[-1]) for one in missing)}: nothing was changed.")
    hidden = action == HIDE
    await connection.execute(
        update(Review).where(among(Review), Review.reported != hidden).values(reported=hidden), arrays(list(found))
    )
    done = [Done(*pair, 0, was, hidden) for pair, was in found.items()]
    return await note(connection, await next_number(connection), action, done, by)


async def next_number(connection: AsyncConnection) -> int:
    """The number of a command."""
    number: int = (await connection.execute(moderation_numbers.next_value().select())).scalar_one()
    return number


async def note(connection: AsyncConnection, number: int, action: str, done: Sequence[Done], by: By) -> Outcome:
    """Write into the log what was done."""
    rows = [
        {
            "product_id": one.product_id,
            "review_id": one.review_id,
            "moderation_id": number,
            "action": action,
            "counted": one.counted,
            "hidden": one.hidden,
            "made_by": by.name,
            "note": by.note,
        }
        for one in done
    ]
    await connection.execute(insert(Moderation), rows)
    return Outcome(number, action, list(done))
