"""What was written and what was decided: reviews that need a look, one review's whole story, who did most, the log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import HelpfulVote, Moderation, Report, Review
from graphql_api.errors import OperatorError
from graphql_api.moderation.wanted import WRITTEN_AT, Wanted, one_of
from graphql_api.mutations.reports import HIDE, RESTORE, counted_reports, decision

Rows = list[dict[str, Any]]
_ROWS_SHOWN = 100
_of_review = (Report.product_id == Review.product_id, Report.review_id == Review.review_id)


def _reports(*more: ColumnElement[bool]) -> Any:
    counted = select(func.count()).where(*_of_review, *more)
    return counted.correlate(Review.__table__).scalar_subquery()


def _columns() -> list[Any]:
    decided = decision(Review.product_id, Review.review_id).correlate(Review.__table__).scalar_subquery()
    enough = counted_reports(Review.product_id, Review.review_id).correlate(Review.__table__).scalar_subquery()
    by_reports = exists().where(*_of_review, Report.found_visible).correlate(Review.__table__)
    return [
        Review.product_id,
        Review.review_id,
        Review.reported.label("hidden"),
        case(
            (decided == HIDE, "operator"),
            (decided == RESTORE, "restored"),
            (Review.reported & by_reports, "reports"),
            (Review.reported, "files"),
            else_="",
        ).label("why"),
        enough.label("counted_reports"),
        _reports().label("reports"),
        _reports(Report.undone_by.is_not(None)).label("undone_reports"),
        Review.helpfulness,
        Review.summary,
    ]


async def listed(connection: AsyncConnection, wanted: Wanted, *, hidden: bool, limit: int) -> Rows:
    """Reviews that were reported or decided of, the last one first."""
    happened: list[Select[Any]] = [_happened(Report, wanted)]
    if not wanted.names_somebody:
        happened.append(_happened(Moderation, wanted))
    events = union_all(*happened).subquery()
    last = func.max(events.c.at).label("last")
    reviews = (
        select(events.c.product_id, events.c.review_id, last)
        .group_by(events.c.product_id, events.c.review_id)
        .subquery()
    )
    statement = (
        select(*_columns(), reviews.c.last)
        .join(reviews, (reviews.c.product_id == Review.product_id) & (reviews.c.review_id == Review.review_id))
        .order_by(reviews.c.last.desc(), Review.review_id)
        .limit(limit)
    )
    return await _rows(connection, statement.where(Review.reported) if hidden else statement)


def _happened(of: Any, wanted: Wanted) -> Select[Any]:
    return select(of.product_id, of.review_id, WRITTEN_AT[of].label("at")).where(*wanted.conditions(of))


async def story(connection: AsyncConnection, numbers: tuple[int, ...]) -> dict[str, Any]:
    """One review with its reports, votes and what was decided of it, the newest 100 of each.

    Raises ``OperatorError`` where there is no such review.
    """
    found = await _rows(connection, select(*_columns(), Review.body).where(one_of(Review, numbers)).limit(1))
    if not found:
        raise OperatorError(f"There is no review {numbers[-1]}.")
    review = found[0]
    below = (review["product_id"], review["review_id"])
    for name, of, columns in (
        ("reported", Report, (Report.reason, Report.found_visible)),
        ("voted", HelpfulVote, ()),
    ):
        at = WRITTEN_AT[of].label("at")
        who = (_hex(of.voter, "voter"), _hex(of.client, "client"))
        statement = select(at, *who, *columns, of.undone_by).where(one_of(of, below)).order_by(at.desc())
        review[name] = await _rows(connection, statement.limit(_ROWS_SHOWN))
    review["moderated"] = await log(connection, Wanted(reviews=(below,)), limit=_ROWS_SHOWN)
    return review


async def who(connection: AsyncConnection, wanted: Wanted, *, limit: int) -> Rows:
    """Voters and clients by what they wrote, those that wrote most first."""
    written = union_all(
        *(
            select(
                literal(kind).label("kind"),
                _hex(hashed, "hash"),
                of.product_id,
                of.review_id,
                WRITTEN_AT[of].label("at"),
                literal(of is Report).label("is_report"),
                of.undone_by,
            ).where(hashed.is_not(None), *wanted.conditions(of))
            for of in (HelpfulVote, Report)
            for kind, hashed in (("voter", of.voter), ("client", of.client))
        )
    ).subquery()
    all_of = func.count()
    statement = (
        select(
            written.c.kind,
            written.c.hash,
            all_of.filter(written.c.is_report).label("reports"),
            all_of.filter(~written.c.is_report).label("votes"),
            all_of.filter(written.c.undone_by.is_not(None)).label("undone"),
            func.count(written.c.review_id.distinct()).label("reviews"),
            func.min(written.c.at).label("first"),
            func.max(written.c.at).label("last"),
        )
        .group_by(written.c.kind, written.c.hash)
        .order_by(all_of.desc(), written.c.hash)
        .limit(limit)
    )
    return await _rows(connection, statement)


async def log(connection: AsyncConnection, wanted: Wanted, *, limit: int) -> Rows:
    """What operators did, the last first: a row a review."""
    statement = (
        select(
            Moderation.moderation_id.label("number"),
            Moderation.made_at.label("at"),
            Moderation.made_by,
            Moderation.action,
            Moderation.product_id,
            Moderation.review_id,
            Moderation.counted,
            Moderation.hidden,
            Moderation.note,
        )
        .where(*wanted.conditions(Moderation))
        .order_by(Moderation.moderation_id.desc(), Moderation.product_id, Moderation.review_id)
        .limit(limit)
    )
    return await _rows(connection, statement)


def _hex(hashed: Any, name: str) -> Any:
    return func.encode(hashed, "hex").label(name)


async def _rows(connection: AsyncConnection, statement: Any) -> Rows:
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
