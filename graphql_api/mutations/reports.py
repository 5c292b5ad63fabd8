"""When reports hide a review: how many of them count, and what an operator has decided before."""

from __future__ import annotations

from typing import Any

from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ColumnElement, Integer, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from graphql_api.db.models import Moderation, Report
from graphql_api.mutations.statement import PRODUCT_ID, REVIEW_ID
from graphql_api.mutations.targets import Target
from loaders.batch import argument
from loaders.statement import Writing

Number = ColumnElement[int] | InstrumentedAttribute[int] | int
HIDE, RESTORE = "HIDE", "RESTORE"
_NOBODY = literal(b"")


def counted_reports(product_id: Number, review_id: Number) -> Select[int]:
    """How many of a review's reports count: one of each voter, and one of each client.

    Marks are the client's own words, and addresses are shared; so it is the lower of both numbers. Where one of them is
    not known the other stands for it, and all reports of which neither is known are one.
    """
    voters = func.count(func.coalesce(Report.voter, Report.client, _NOBODY).distinct())
    clients = func.count(func.coalesce(Report.client, Report.voter, _NOBODY).distinct())
    return select(func.least(voters, clients)).where(
        Report.product_id == product_id, Report.review_id == review_id, Report.undone_by.is_(None)
    )


def decision(product_id: Number, review_id: Number) -> Select[Any]:
    """What an operator decided of a review last, HIDE or RESTORE; no row where none has."""
    return (
        select(Moderation.action)
        .where(
            Moderation.product_id == product_id,
            Moderation.review_id == review_id,
            Moderation.action.in_([HIDE, RESTORE]),
        )
        .order_by(Moderation.moderation_id.desc())
        .limit(1)
    )


_enough = counted_reports(PRODUCT_ID, REVIEW_ID).scalar_subquery() >= argument("enough", Integer())
_decided = decision(PRODUCT_ID, REVIEW_ID).scalar_subquery()
_hides = Writing("reports counted", select(_enough & func.coalesce(_decided != RESTORE, literal(True))))  # noqa: FBT003 - SQL's


async def hides(connection: PoolConnectionProxy, target: Target, enough: int) -> bool:
    """Whether ``enough`` reports of ``target``, which is locked, hide it: not what an operator has restored."""
    row = await _hides.first(connection, product_id=target.product_id, review_id=target.review_id, enough=enough)
    return row is not None and bool(row[0])
