"""A report: the review is hidden everywhere, and kept."""

from __future__ import annotations

import strawberry
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from graphql_api.db.models import Report, Review
from graphql_api.mutations.targets import Target, lock_target
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.mutations.voters import voter_digest
from graphql_api.schema import identity
from graphql_api.schema.product import Product as ProductType
from graphql_api.schema.types import Info
from loaders.batch import Kind, Load
from loaders.products import ProductsById

MAX_REASON = 1000


@strawberry.input(description="A report of a review that should not be shown.")
class ReportReviewInput:
    """As the client sent it."""

    review_id: strawberry.ID = strawberry.field(description="The global id or the plain number of the review.")
    voter: str | None = strawberry.field(
        default=None, description="The client's own stable mark of the shopper, at most 200 characters."
    )
    reason: str | None = strawberry.field(
        default=None, description=f"Why, for the shop: at most {MAX_REASON} characters."
    )


@strawberry.type(description="What became of a report.")
class ReportReviewPayload:
    """The product is read after the transaction."""

    target: strawberry.Private[Target | None]
    hidden: strawberry.Private[bool]
    user_errors: list[UserError] = strawberry.field(description="What the shopper can put right.")

    @strawberry.field(description="The global id of the review that is now hidden; null while it stays visible.")
    def deleted_review_id(self) -> strawberry.ID | None:
        if self.target is None or not self.hidden:
            return None
        return strawberry.ID(identity.encode("Review", self.target.product_id, self.target.review_id))

    @strawberry.field(description="The product with its figures as they stand; null when there is no such review.")
    async def product(self, info: Info) -> ProductType | None:
        if self.target is None:
            return None
        row = await info.context.loaders.load(Load(Kind(ProductsById), self.target.product_id))
        return None if row is None else ProductType(row=row)


async def report_review(info: Info, sent: ReportReviewInput) -> ReportReviewPayload:
    """Hide the review, or say why not. A report of a hidden one gives the same payload."""
    context = info.context
    problems = Problems()
    voter = voter_digest(sent.voter, context.settings.voter_secret, problems)
    reason = problems.text(sent.reason or "", "The reason", "reason", high=MAX_REASON) or None
    hidden = False
    async with transaction(context) as writing:
        connection = writing.connection
        target = await lock_target(connection, sent.review_id)
        if target is None:
            problems.add(UserErrorCode.NOT_FOUND, "There is no such review.", "reviewId")
        elif not problems.found:
            below = {"product_id": target.product_id, "review_id": target.review_id}
            report = insert(Report).values(**below, voter=voter, reason=reason)
            await connection.execute(
                report.on_conflict_do_nothing(index_elements=[Report.product_id, Report.review_id, Report.voter])
            )
            if not target.reported:
                await connection.execute(
                    update(Review)
                    .where(Review.product_id == target.product_id, Review.review_id == target.review_id)
                    .values(reported=True)
                )
            writing.touches(target.product_id, target.review_id)
            hidden = True
    context.forget()
    return ReportReviewPayload(target=target, hidden=hidden, user_errors=problems.found)
