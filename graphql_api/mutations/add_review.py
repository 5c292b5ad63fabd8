"""A new review: checked whole, stored with its photos and ratings in one transaction, once per idempotency key."""

from __future__ import annotations

from datetime import timedelta

import strawberry
from sqlalchemy import delete, func, insert, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from graphql_api.db.models import (
    Characteristic,
    IdempotencyKey,
    Photo,
    Product,
    Rating,
    Review,
    photo_numbers,
    rating_numbers,
    review_numbers,
)
from graphql_api.mutations.add_review_input import MAX_KEY, AddReviewInput, NewReview, checked, fingerprint
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.schema import identity
from graphql_api.schema.product import Product as ProductType
from graphql_api.schema.review import Review as ReviewType
from graphql_api.schema.types import Info
from loaders.batch import Kind, Load
from loaders.products import ProductsById
from loaders.reviews import ReviewsById

KEY_LIFETIME = timedelta(days=7)
KEYS_FORGOTTEN = 10


@strawberry.type(description="What became of a new review.")
class AddReviewPayload:
    """Everything in it is read after the transaction."""

    product_id: strawberry.Private[int | None]
    review_id: strawberry.Private[int | None]
    user_errors: list[UserError] = strawberry.field(
        description="What the shopper can put right; while there is anything, nothing was stored."
    )

    @strawberry.field(description="The review as it stands; null when it was refused or has been reported since.")
    async def review(self, info: Info) -> ReviewType | None:
        if self.product_id is None or self.review_id is None:
            return None
        row = await info.context.loaders.load(Load(Kind(ReviewsById), (self.product_id, self.review_id)))
        return None if row is None else ReviewType(row=row)

    @strawberry.field(description="The product with its figures as they stand; null when there is none.")
    async def product(self, info: Info) -> ProductType | None:
        if self.product_id is None:
            return None
        row = await info.context.loaders.load(Load(Kind(ProductsById), self.product_id))
        return None if row is None else ProductType(row=row)


async def add_review(info: Info, sent: AddReviewInput) -> AddReviewPayload:
    """Store the review that ``sent`` asks for, or say everything that is wrong with it."""
    context = info.context
    problems = Problems()
    key = _key(sent.idempotency_key, context.idempotency_key, problems)
    review_id: int | None = None
    async with transaction(context) as writing:
        connection = writing.connection
        product_id = await _find_product(connection, sent.product_id)
        # A key that is known comes first: what was stored under it stays so, whatever has become of the catalogue.
        if product_id is not None and key is not None:
            review_id = await _kept(connection, sent, product_id, key, problems)
        if review_id is None:
            kinds = {} if product_id is None else await _characteristics(connection, product_id)
            review = checked(sent, product_id, kinds, problems)
            if review is not None:
                review_id = await _store(connection, sent, review, key, problems)
        if product_id is not None and review_id is not None:
            writing.touches(product_id, review_id)
    context.forget()
    return AddReviewPayload(product_id=product_id, review_id=review_id, user_errors=problems.found)


def _key(in_input: str | None, in_header: str | None, problems: Problems) -> str | None:
    one, other = (in_input or "").strip(), (in_header or "").strip()
    if one and other and one != other:
        message = "The idempotency key of the input and that of the HTTP header differ: send one of them."
        problems.add(UserErrorCode.INVALID, message, "idempotencyKey")
    key = problems.text(one or other, "The idempotency key", "idempotencyKey", high=MAX_KEY)
    return None if problems.found else key or None


async def _find_product(connection: AsyncConnection, any_id: str) -> int | None:
    numbers = identity.numbers_of("Product", any_id)
    if numbers is None:
        return None
    product = select(Product.product_id).where(Product.product_id == numbers[0])
    # The lock that the review's foreign key takes anyway, taken now: the product stays until the review is stored.
    found: int | None = await connection.scalar(product.with_for_update(read=True, key_share=True))
    return found


async def _characteristics(connection: AsyncConnection, product_id: int) -> dict[int, str]:
    rows = await connection.execute(
        select(Characteristic.characteristic_id, Characteristic.kind)
        .where(Characteristic.product_id == product_id)
        .order_by(Characteristic.characteristic_id)
        .with_for_update(read=True, key_share=True)
    )
    return {row.characteristic_id: row.kind for row in rows}


async def _kept(
    connection: AsyncConnection, sent: AddReviewInput, product_id: int, key: str, problems: Problems
) -> int | None:
    """The review that ``key`` stands for; ``None`` where it stands for none, or, a problem, for another input."""
    row = (
        await connection.execute(
            select(IdempotencyKey.fingerprint, IdempotencyKey.review_id).where(
                IdempotencyKey.product_id == product_id,
                IdempotencyKey.key == key,
                IdempotencyKey.created_at >= func.now() - literal(KEY_LIFETIME),
            )
        )
    ).first()
    if row is None:
        return None
    if row.fingerprint == fingerprint(sent, product_id):
        review_id: int = row.review_id
        return review_id
    message = "The idempotency key was used for another review: take a new key for a new review."
    problems.add(UserErrorCode.CONFLICT, message, "idempotencyKey")
    return None


async def _store(
    connection: AsyncConnection, sent: AddReviewInput, review: NewReview, key: str | None, problems: Problems
) -> int | None:
    review_id = (await connection.execute(review_numbers.next_value().select())).scalar_one()
    if key is not None:
        # Copies of the same request that run at the same time wait here for the first of them.
        claim = upsert(IdempotencyKey).values(
            product_id=review.product_id, key=key, fingerprint=fingerprint(sent, review.product_id), review_id=review_id
        )
        claimed = claim.on_conflict_do_update(
            index_elements=[IdempotencyKey.product_id, IdempotencyKey.key],
            set_={
                "fingerprint": claim.excluded.fingerprint,
                "review_id": claim.excluded.review_id,
                "created_at": func.now(),
            },
            where=IdempotencyKey.created_at < func.now() - literal(KEY_LIFETIME),
        ).returning(IdempotencyKey.review_id)
        if await connection.scalar(claimed) is None:
            return await _kept(connection, sent, review.product_id, key, problems)
        await _forget_old_keys(connection)
    await connection.execute(
        insert(Review).values(
            product_id=review.product_id,
            review_id=review_id,
            rating=review.rating,
            # Answers show milliseconds; what they do not show should not decide an order.
            created_at=func.date_trunc("milliseconds", func.now()),
            summary=review.summary,
            body=review.body,
            recommended=review.recommended,
            reviewer_name=review.reviewer_name,
            reviewer_email=review.reviewer_email,
            # Given at once, so that the trigger on photos finds it right and writes the row no second time.
            photo_count=len(review.photos),
        )
    )
    below = {"product_id": review.product_id, "review_id": review_id}
    if review.photos:
        photos = [{**below, "photo_id": photo_numbers.next_value(), "url": url} for url in review.photos]
        await connection.execute(insert(Photo).values(photos))
    if review.values:
        ratings = [
            {**below, "characteristic_id": number, "rating_id": rating_numbers.next_value(), "value": value}
            for number, value in sorted(review.values.items())
        ]
        await connection.execute(insert(Rating).values(ratings))
    return review_id


async def _forget_old_keys(connection: AsyncConnection) -> None:
    """Remove some keys that have expired: more than one new key brings, so that the table does not grow for good."""
    old = (
        select(IdempotencyKey.product_id, IdempotencyKey.key)
        .where(IdempotencyKey.created_at < func.now() - literal(KEY_LIFETIME))
        .limit(KEYS_FORGOTTEN)
        .with_for_update(skip_locked=True)
    )
    await connection.execute(
        delete(IdempotencyKey).where(tuple_(IdempotencyKey.product_id, IdempotencyKey.key).in_(old))
    )
