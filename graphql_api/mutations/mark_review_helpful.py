"""A helpful vote: one per voter and review."""

from __future__ import annotations

import strawberry
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import HelpfulVote, Review
from graphql_api.mutations.targets import Target, lock_target
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.mutations.voters import voter_digest
from graphql_api.schema.review import Review as ReviewType
from graphql_api.schema.types import Info
from loaders.batch import Kind, Load
from loaders.reviews import ReviewsById

MOST_VOTES = 2**31 - 1  # what the column holds: a count that is full stays full


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

    @strawberry.field(description="The review as it stands; null when there is none to see.")
    async def review(self, info: Info) -> ReviewType | None:
        if self.target is None:
            return None
        row = await info.context.loaders.load(Load(Kind(ReviewsById), (self.target.product_id, self.target.review_id)))
        return None if row is None else ReviewType(row=row)


async def mark_review_helpful(info: Info, sent: MarkReviewHelpfulInput) -> MarkReviewHelpfulPayload:
    """Count the vote, or say why it does not count."""
    context = info.context
    problems = Problems()
    voter = voter_digest(sent.voter, context.settings.voter_secret, problems)
    async with transaction(context) as writing:
        connection = writing.connection
        target = await lock_target(connection, sent.review_id)
        if target is not None and target.reported:
            target = None
        if target is None:
            problems.add(UserErrorCode.NOT_FOUND, "There is no such review.", "reviewId")
        elif not problems.found:
            writing.touches(target.product_id)
            await _vote(connection, target, voter, problems)
    context.forget()
    return MarkReviewHelpfulPayload(target=target, user_errors=problems.found)


async def _vote(connection: AsyncConnection, target: Target, voter: bytes | None, problems: Problems) -> None:
    vote = insert(HelpfulVote).values(product_id=target.product_id, review_id=target.review_id, voter=voter)
    counted = await connection.scalar(
        # A vote of the same voter that is under way elsewhere is waited for here.
        vote.on_conflict_do_nothing(
            index_elements=[HelpfulVote.product_id, HelpfulVote.review_id, HelpfulVote.voter]
        ).returning(HelpfulVote.vote_id)
    )
    if counted is None:
        problems.add(UserErrorCode.DUPLICATE, "This shopper found the review helpful before.", "voter")
        return
    await connection.execute(
        update(Review)
        .where(Review.product_id == target.product_id, Review.review_id == target.review_id)
        .values(helpfulness=func.least(Review.helpfulness, MOST_VOTES - 1) + 1)
    )
