"""A report: it is kept, and with enough of them the review is hidden everywhere, and kept too."""

from __future__ import annotations

import strawberry
from sqlalchemy import Boolean, Text, literal, update
from sqlalchemy.dialects.postgresql import insert

from graphql_api.context import Context
from graphql_api.db.models import Report, Review
from graphql_api.mutations.reports import hides
from graphql_api.mutations.statement import CLIENT, PRODUCT_ID, REVIEW_ID, VOTER
from graphql_api.mutations.targets import Target, lock_target
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.mutations.voters import client_digest, voter_digest
from graphql_api.schema import identity
from graphql_api.schema.loaded import loaded
from graphql_api.schema.product import Product as ProductType
from loaders.batch import Kind, Load, argument
from loaders.products import ProductsById
from loaders.rows import ProductRow
from loaders.statement import Writing

MAX_REASON = 1000

_reported = insert(Report).values(
    product_id=PRODUCT_ID,
    review_id=REVIEW_ID,
    voter=VOTER,
    reason=argument("reason", Text()),
    client=CLIENT,
    found_visible=argument("found_visible", Boolean()),
)
_report = Writing(
    "report",
    _reported.on_conflict_do_nothing(index_elements=[Report.product_id, Report.review_id, Report.voter]),
)
_hide = Writing(
    "review hidden",
    update(Review).where(Review.product_id == PRODUCT_ID, Review.review_id == REVIEW_ID).values(reported=literal(True)),  # noqa: FBT003 - SQL's
)


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

    @loaded(
        lambda payload: payload.of_product(),
        of=ProductsById,
        description="The product with its figures as they stand; null when there is no such review.",
    )
    def product(self, row: ProductRow | None) -> ProductType | None:
        return None if row is None else ProductType(row=row)

    def of_product(self) -> Load | None:
        """What to load of the product, if there is one."""
        return None if self.target is None else Load(Kind(ProductsById), self.target.product_id)


async def report_review(context: Context, sent: ReportReviewInput) -> ReportReviewPayload:
    """Keep the report and hide the review if it is enough, or say why not.

    A report of a hidden one gives the same payload.
    """
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
            client = client_digest(context.client, context.settings.voter_secret)
            await _report.rows(
                connection, **below, voter=voter, reason=reason, client=client, found_visible=not target.reported
            )
            hidden = target.reported or await hides(connection, target, context.settings.reports_to_hide)
            if hidden and not target.reported:
                await _hide.rows(connection, **below)
            writing.touches(target.xid, target.product_id, target.review_id)
    context.forget()
    return ReportReviewPayload(target=target, hidden=hidden, user_errors=problems.found)
