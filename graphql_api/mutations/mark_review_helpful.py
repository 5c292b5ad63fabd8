"""A helpful vote: one per voter and review."""

from __future__ import annotations

import strawberry

from graphql_api.context import Context
from graphql_api.mutations.group_commit import GroupCommit
from graphql_api.mutations.targets import Target, lock_target
from graphql_api.mutations.transaction import note, transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.mutations.voters import client_digest, voter_digest
from graphql_api.mutations.votes import Vote, Voted, vote, vote_together
from graphql_api.schema import identity
from graphql_api.schema.loaded import loaded
from graphql_api.schema.review import Review as ReviewType
from loaders.batch import Kind, Load
from loaders.reviews import ReviewsById
from loaders.rows import ReviewRow


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
    voted = None if problems.found else await _together(context, sent.review_id, voter, client)
    target, counted = None, False
    if voted is not None:
        target, counted = voted.target, voted.counted
        if not target.reported:
            await note(context, voted.touched)
    else:
        async with transaction(context) as writing:
            if problems.found:
                target = await lock_target(writing.connection, sent.review_id)
            else:
                target, counted = await vote(writing.connection, sent.review_id, voter, client)
            if target is not None and not target.reported and not problems.found:
                writing.touches(target.xid, target.product_id)
    if target is None or target.reported:
        target = None
        problems.add(UserErrorCode.NOT_FOUND, "There is no such review.", "reviewId")
    elif not problems.found and not counted:
        problems.add(UserErrorCode.DUPLICATE, "This shopper found the review helpful before.", "voter")
    context.forget()
    return MarkReviewHelpfulPayload(target=target, user_errors=problems.found)


async def _together(context: Context, any_id: str, voter: bytes | None, client: bytes | None) -> Voted | None:
    """What became of the vote beside others of the moment; ``None`` where it is to be stored by itself.

    graphql-core's execution groups nothing, and a plain number does not say which product it is about.
    """
    numbers = identity.numbers_of("Review", any_id)
    if context.shared is None or numbers is None or len(numbers) == 1:
        return None
    asked = Vote(numbers[0], numbers[1], voter, client)
    return await GroupCommit.of(context.database.writes, vote_together).join(asked, context.deadline)
