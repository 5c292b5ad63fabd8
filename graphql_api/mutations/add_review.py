"""A new review: checked whole, stored with its photos and ratings in one transaction, once per idempotency key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import strawberry
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import BigInteger, Delete, Select, SmallInteger, Text, delete, func, literal, select, true
from sqlalchemy.dialects.postgresql import insert

from graphql_api.context import Context
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
from graphql_api.mutations.statement import FINGERPRINT, KEY, PRODUCT_ID, XID
from graphql_api.mutations.transaction import transaction
from graphql_api.mutations.user_error import Problems, UserError, UserErrorCode
from graphql_api.schema import identity
from graphql_api.schema.loaded import loaded
from graphql_api.schema.product import Product as ProductType
from graphql_api.schema.review import Review as ReviewType
from loaders.batch import Kind, Load, argument, array_of, arrays_table
from loaders.products import ProductsById
from loaders.reviews import ReviewsById
from loaders.rows import ProductRow, ReviewRow
from loaders.statement import Writing

KEY_LIFETIME = timedelta(days=7)
KEYS_FORGOTTEN = 10

_EXPIRED = IdempotencyKey.created_at < func.now() - literal(KEY_LIFETIME)


def _finding() -> Select[*tuple[Any, ...]]:
    """The product, its characteristics, and the key. What a foreign key of the new review would lock is locked now."""
    product = (
        select(Product.product_id, XID)
        .where(Product.product_id == PRODUCT_ID)
        .with_for_update(read=True, key_share=True)
        .cte("product")
    )
    kinds = (
        select(Characteristic.characteristic_id, Characteristic.kind)
        .where(Characteristic.product_id == PRODUCT_ID)
        .order_by(Characteristic.characteristic_id)
        .with_for_update(read=True, key_share=True)
        .cte("kinds")
    )
    kept = (
        select(IdempotencyKey.fingerprint, IdempotencyKey.review_id)
        .where(IdempotencyKey.product_id == PRODUCT_ID, IdempotencyKey.key == KEY, ~_EXPIRED)
        .cte("kept")
    )
    joined = product.outerjoin(kinds, true()).outerjoin(kept, true())
    return select(*product.c, *kinds.c, *kept.c).select_from(joined).order_by(kinds.c.characteristic_id)


def _storing(*, by_key: bool) -> Select[*tuple[Any, ...]]:
    """One statement for the whole review: its number, or no row where its key was taken meanwhile."""
    numbered = select(PRODUCT_ID.label("product_id"), review_numbers.next_value().label("review_id")).cte("numbered")
    before = []
    if by_key:
        claim = insert(IdempotencyKey).from_select(
            ["product_id", "key", "fingerprint", "review_id"],
            select(numbered.c.product_id, KEY, FINGERPRINT, numbered.c.review_id),
        )
        # Copies of the same request that run at the same time wait here for the first of them.
        numbered = (
            claim.on_conflict_do_update(
                index_elements=[IdempotencyKey.product_id, IdempotencyKey.key],
                set_={
                    "fingerprint": claim.excluded.fingerprint,
                    "review_id": claim.excluded.review_id,
                    "created_at": func.now(),
                },
                where=_EXPIRED,
            )
            .returning(IdempotencyKey.product_id, IdempotencyKey.review_id)
            .cte("claimed")
        )
        before.append(_forgetting().cte("forgotten"))
    below = (numbered.c.product_id, numbered.c.review_id)
    urls = arrays_table(("urls", Text()))
    stored = (
        insert(Review)
        .from_select(
            [*_OF_REVIEW, "created_at", "photo_count"],
            select(
                *below,
                *(argument(name, getattr(Review, name).type) for name in _OF_REVIEW[2:]),
                # Answers show milliseconds; what they do not show should not decide an order.
                func.date_trunc("milliseconds", func.now()),
                # Given at once, so that the trigger on photos finds it right and writes the row no second time.
                func.cardinality(array_of("urls", Text())),
            ),
        )
        .returning(Review.product_id, Review.review_id)
        .cte("stored")
    )
    below = (stored.c.product_id, stored.c.review_id)
    photos = insert(Photo).from_select(
        ["product_id", "review_id", "photo_id", "url"],
        select(*below, photo_numbers.next_value(), urls.c.urls).join_from(stored, urls, true()).order_by(urls.c.place),
    )
    values = arrays_table(("characteristics", BigInteger()), ("values", SmallInteger()))
    ratings = insert(Rating).from_select(
        ["product_id", "review_id", "characteristic_id", "rating_id", "value"],
        select(*below, values.c.characteristics, rating_numbers.next_value(), values.c["values"])
        .join_from(stored, values, true())
        .order_by(values.c.place),
    )
    return select(stored.c.review_id).add_cte(*before, photos.cte("photographed"), ratings.cte("rated"))


def _forgetting() -> Delete:
    """Remove some of the product's keys that have expired: more than one new key brings, so they do not pile up."""
    old = (
        select(IdempotencyKey.key)
        # The key that is taken now is not touched twice.
        .where(IdempotencyKey.product_id == PRODUCT_ID, IdempotencyKey.key != KEY, _EXPIRED)
        .order_by(IdempotencyKey.created_at)
        .limit(literal(KEYS_FORGOTTEN, literal_execute=True))
        .with_for_update(skip_locked=True)
    )
    return delete(IdempotencyKey).where(IdempotencyKey.product_id == PRODUCT_ID, IdempotencyKey.key.in_(old))


_OF_REVIEW = (
    *("product_id", "review_id", "rating", "summary", "body", "recommended"),
    *("reviewer_name", "reviewer_email"),
)
_found = Writing("product to review", _finding())
_stored, _stored_by_key = (
    Writing("review stored", _storing(by_key=False)),
    Writing("review stored by key", _storing(by_key=True)),
)


@strawberry.type(description="What became of a new review.")
class AddReviewPayload:
    """Everything in it is read after the transaction."""

    product_id: strawberry.Private[int | None]
    review_id: strawberry.Private[int | None]
    user_errors: list[UserError] = strawberry.field(
        description="What the shopper can put right; while there is anything, nothing was stored."
    )

    @loaded(
        lambda payload: payload.of_review(),
        of=ReviewsById,
        description="The review as it stands; null when it was refused or has been reported since.",
    )
    def review(self, row: ReviewRow | None) -> ReviewType | None:
        return None if row is None else ReviewType(row=row)

    @loaded(
        lambda payload: payload.of_product(),
        of=ProductsById,
        description="The product with its figures as they stand; null when there is none.",
    )
    def product(self, row: ProductRow | None) -> ProductType | None:
        return None if row is None else ProductType(row=row)

    def of_review(self) -> Load | None:
        """What to load of the review, if there is one."""
        if self.product_id is None or self.review_id is None:
            return None
        return Load(Kind(ReviewsById), (self.product_id, self.review_id))

    def of_product(self) -> Load | None:
        """What to load of the product, if there is one."""
        return None if self.product_id is None else Load(Kind(ProductsById), self.product_id)


async def add_review(context: Context, sent: AddReviewInput) -> AddReviewPayload:
    """Store the review that ``sent`` asks for, or say everything that is wrong with it."""
    problems = Problems()
    key = _key(sent.idempotency_key, context.idempotency_key, problems)
    review_id: int | None = None
    async with transaction(context) as writing:
        found = await _find(writing.connection, sent.product_id, key)
        product_id = found[0]["product_id"] if found else None
        # A key that is known comes first: what was stored under it stays so, whatever has become of the catalogue.
        if found:
            review_id = _kept(found[0], sent, problems)
        if review_id is None:
            kinds = {row["characteristic_id"]: row["kind"] for row in found if row["kind"] is not None}
            review = checked(sent, product_id, kinds, problems)
            if review is not None:
                review_id = await _store(writing.connection, sent, review, key, problems)
        if found and review_id is not None:
            writing.touches(found[0]["xid"], found[0]["product_id"], review_id)
    context.forget()
    return AddReviewPayload(product_id=product_id, review_id=review_id, user_errors=problems.found)


def _key(in_input: str | None, in_header: str | None, problems: Problems) -> str | None:
    one, other = (in_input or "").strip(), (in_header or "").strip()
    if one and other and one != other:
        message = "The idempotency key of the input and that of the HTTP header differ: send one of them."
        problems.add(UserErrorCode.INVALID, message, "idempotencyKey")
    key = problems.text(one or other, "The idempotency key", "idempotencyKey", high=MAX_KEY)
    return None if problems.found else key or None


async def _find(connection: PoolConnectionProxy, any_id: str, key: str | None) -> list[asyncpg.Record]:
    """A row of each characteristic of the product, at least one of the product, with what ``key`` stands for."""
    numbers = identity.numbers_of("Product", any_id)
    return [] if numbers is None else await _found.rows(connection, product_id=numbers[0], key=key)


def _kept(found: asyncpg.Record, sent: AddReviewInput, problems: Problems) -> int | None:
    """The review that the key stands for; ``None`` where it stands for none, or, a problem, for another input."""
    if found["fingerprint"] is None:
        return None
    if found["fingerprint"] == fingerprint(sent, found["product_id"]):
        review_id: int = found["review_id"]
        return review_id
    message = "The idempotency key was used for another review: take a new key for a new review."
    problems.add(UserErrorCode.CONFLICT, message, "idempotencyKey")
    return None


async def _store(
    connection: PoolConnectionProxy, sent: AddReviewInput, review: NewReview, key: str | None, problems: Problems
) -> int | None:
    values = sorted(review.values.items())
    new = {
        "product_id": review.product_id,
        "rating": review.rating,
        "summary": review.summary,
        "body": review.body,
        "recommended": review.recommended,
        "reviewer_name": review.reviewer_name,
        "reviewer_email": review.reviewer_email,
        "urls": list(review.photos),
        "characteristics": [number for number, _ in values],
        "values": [value for _, value in values],
    }
    if key is None:
        stored = await _stored.first(connection, **new)
    else:
        new |= {"key": key, "fingerprint": fingerprint(sent, review.product_id)}
        stored = await _stored_by_key.first(connection, **new)
        if stored is None:
            # A copy of the same request was here first, and this one has waited for it.
            (found, *_) = await _found.rows(connection, product_id=review.product_id, key=key)
            return _kept(found, sent, problems)
    assert stored is not None
    review_id: int = stored["review_id"]
    return review_id
