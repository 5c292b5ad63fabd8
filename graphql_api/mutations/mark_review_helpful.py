"""A helpful vote: one per voter and review."""

from __future__ import annotations

import strawberry
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from graphql_api.context import Context
from graphql_api.db.models import HelpfulVote, Review
from graphql_api.mutations.statement import CLIENT, VOTER
from graphql_api.mutations.targets import Locked, OfTarget, Target, lock_target
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.mutations.voters import client_digest, voter_digest
from graphql_api.schema.loaded import loaded
from graphql_api.schema.review import Review as ReviewType
from loaders.batch import Kind, Load
from loaders.reviews import ReviewsById
from loaders.rows import ReviewRow

MOST_VOTES = 2**31 - 1  # what the column holds: a count that is full stays full


def _vote_for(found: Locked) -> Locked:
    """One statement: lock the review that is ``found``, store the vote, and count it if it was stored."""
    target = found.cte("target")
    below = (target.c.product_id, target.c.review_id)
    vote = insert(HelpfulVote).from_select(
        ["product_id", "review_id", "voter", "client"], select(*below, VOTER, CLIENT).where(~target.c.reported)
    )
    # A vote of the same voter that is under way elsewhere was waited for with the review's lock.
    stored = (
        vote.on_conflict_do_nothing(index_elements=[HelpfulVote.product_id, HelpfulVote.review_id, HelpfulVote.voter])
        .returning(HelpfulVote.product_id, HelpfulVote.review_id)
        .cte("stored")
    )
    counted = (
        update(Review)
        .where(Review.product_id == stored.c.product_id, Review.review_id == stored.c.review_id)
        .values(helpfulness=func.least(Review.helpfulness, literal(MOST_VOTES - 1, literal_execute=True)) + 1)
        .returning(Review.review_id)
        .cte("counted")
    )
    votes = select(func.count()).select_from(counted).scalar_subquery().label("votes")
    return select(target.c.product_id, target.c.review_id, target.c.reported, target.c.xid, votes)


_voted = OfTarget("vote", _vote_for)


@strawberry.input(description="A vote that a review was helpful.")
class MarkReviewHelpfulInput:
    """As the client sent it."""

    review_id: strawberry.ID = strawberry.field(description="The global id or the plain number of the review.")
    voter: str | None = strawberry.field(
        default=None,
        description=(
            "The client's own stable mark of the shopper, at most 200 characters: one vote counts per voter and review."
            " Without it each call counts."
        ),
    )


@strawberry.type(description="What became of a helpful vote.")
class MarkReviewHelpfulPayload:
    """The review is read after the transaction."""

    target: strawberry.Private[Target | None]
    user_errors: list[UserError] = strawberry.field(
        description="What the shopper can put right; DUPLICATE when the voter had voted before."
    )

    @loaded(
        lambda payload: payload.of_review(),
        of=ReviewsById,
        description="The review as it stands; null when there is none to see.",
    )
    def review(self, row: ReviewRow | None) -> ReviewType | None:
        return None if row is None else ReviewType(row=row)

    def of_review(self) -> Load | None:
        """What to load of the review, if there is one."""
        return None if self.target is None else Load(Kind(ReviewsById), self.target[:2])


async def mark_review_helpful(context: Context, sent: MarkReviewHelpfulInput) -> MarkReviewHelpfulPayload:
    """Count the vote, or say why it does not count."""
    problems = Problems()
    voter = voter_digest(sent.voter, context.settings.voter_secret, problems)
    client = client_digest(context.client, context.settings.voter_secret)
    target, counted = None, False
    async with transaction(context) as writing:
        if problems.found:
            target = await lock_target(writing.connection, sent.review_id)
        else:
            target, counted = await _vote(writing.connection, sent.review_id, voter, client)
        if target is not None and target.reported:
            target = None
        if target is None:
            problems.add(UserErrorCode.NOT_FOUND, "There is no such review.", "reviewId")
        elif not problems.found:
            writing.touches(target.xid, target.product_id)
            if not counted:
                problems.add(UserErrorCode.DUPLICATE, "This shopper found the review helpful before.", "voter")
    context.forget()
    return MarkReviewHelpfulPayload(target=target, user_errors=problems.found)


async def _vote(
    connection: PoolConnectionProxy, any_id: str, voter: bytes | None, client: bytes | None
) -> tuple[Target | None, bool]:
    """The review, and whether the vote counted. One that is hidden is not voted for."""
    row = await _voted.first(connection, any_id, voter=voter, client=client)
    if row is None:
        return None, False
    *target, counted = row
    return Target(*target), counted > 0
