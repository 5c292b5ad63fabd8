"""What can be changed: the table of contents."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphql_api.mutations.add_review import AddReviewPayload, add_review
from graphql_api.mutations.add_review_input import AddReviewInput
from graphql_api.mutations.mark_review_helpful import (
    MarkReviewHelpfulInput,
    MarkReviewHelpfulPayload,
    mark_review_helpful,
)
from graphql_api.mutations.report_review import ReportReviewInput, ReportReviewPayload, report_review
from graphql_api.schema.types import Info


@strawberry.type(description="What can be changed. Each field is one transaction, and answers with the new state.")
class Mutation:
    """The root of every mutation."""

    @strawberry.mutation(description="Add a review. Everything that is wrong with it comes back at once.")
    async def add_review(
        self,
        info: Info,
        input: Annotated[AddReviewInput, strawberry.argument(description="The review.")],  # noqa: A002 - the contract's name
    ) -> AddReviewPayload:
        return await info.context.once(add_review, input)

    @strawberry.mutation(description="Say that a review was helpful.")
    async def mark_review_helpful(
        self,
        info: Info,
        input: Annotated[MarkReviewHelpfulInput, strawberry.argument(description="The vote.")],  # noqa: A002 - as above
    ) -> MarkReviewHelpfulPayload:
        return await info.context.once(mark_review_helpful, input)

    @strawberry.mutation(
        description=(
            "Report a review: with as many reports as the shop says, which may be one, it is hidden everywhere."
        )
    )
    async def report_review(
        self,
        info: Info,
        input: Annotated[ReportReviewInput, strawberry.argument(description="The report.")],  # noqa: A002 - as above
    ) -> ReportReviewPayload:
        return await info.context.once(report_review, input)
