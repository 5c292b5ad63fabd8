"""The tables. Alembic builds them and the triggers behind the figures; statements are written with these models.

Every table below a product carries ``product_id`` in its key, so that a product's rows lie together and
the schema can be distributed by that one column.

All of them stand in one file: a table whose module nobody has imported is not registered, and Alembic would drop it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

CHARACTERISTIC_KINDS = ("SIZE", "WIDTH", "COMFORT", "QUALITY", "LENGTH", "FIT")
FIGURES_CELLS = 20
"""Stars (5) by recommended (2) by with photos (2); ``figures_cell`` in the database says which is which."""

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The registry of our tables. No relationships: rows below a product are reached through loaders."""

    metadata = MetaData(naming_convention=_NAMES)


review_numbers = Sequence("review_numbers", start=1_000_000_000, metadata=Base.metadata)
photo_numbers = Sequence("photo_numbers", start=1_000_000_000, metadata=Base.metadata)
rating_numbers = Sequence("rating_numbers", start=1_000_000_000, metadata=Base.metadata)
vote_numbers = Sequence("vote_numbers", metadata=Base.metadata)
report_numbers = Sequence("report_numbers", metadata=Base.metadata)
moderation_numbers = Sequence("moderation_numbers", metadata=Base.metadata)
change_numbers = Sequence("change_numbers", metadata=Base.metadata)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's ``xid8``: the number of a transaction, which never comes again."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name."""
        return "xid8"


# Read back from a database it is the same type. Source: SQLAlchemy, "Reflecting User-Defined Types".
ischema_names["xid8"] = Xid8


class Product(Base):
    """What the shop sells. ``default_price`` is in the shop's currency."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("category <> ''", name="category_not_empty"),
        Index("ix_products_category", "category", "product_id"),
        Index(
            "ix_products_words",
            func.product_words(text("name"), text("slogan"), text("description")),
            postgresql_using="gin",
        ),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    slogan: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    default_price: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))


class Characteristic(Base):
    """One aspect of a product that its reviews rate from 1 to 5."""

    __tablename__ = "characteristics"
    __table_args__ = (
        CheckConstraint("kind IN ('SIZE', 'WIDTH', 'COMFORT', 'QUALITY', 'LENGTH', 'FIT')", name="kind_known"),
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Product.product_id, ondelete="CASCADE"), primary_key=True
    )
    characteristic_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)


class Review(Base):
    """A shopper's review. A reported one is hidden everywhere, and kept.

    ``relevance`` is the default order: days since 1970 plus 90 for each doubling of (1 + helpful votes).
    ``photo_count`` is kept by a trigger on ``photos``.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_1_to_5"),
        CheckConstraint("helpfulness >= 0", name="helpfulness_not_negative"),
        # The look-up of a review by its plain number is the one read that does not know the product.
        Index("ix_reviews_review_id", "review_id"),
        Index("ix_reviews_relevant", "product_id", "relevance", "review_id", postgresql_where=text("NOT reported")),
        Index("ix_reviews_newest", "product_id", "created_at", "review_id", postgresql_where=text("NOT reported")),
        Index(
            "ix_reviews_helpful",
            "product_id",
            "helpfulness",
            "created_at",
            "review_id",
            postgresql_where=text("NOT reported"),
        ),
        Index(
            "ix_reviews_highest_rated",
            "product_id",
            "rating",
            "created_at",
            "review_id",
            postgresql_where=text("NOT reported"),
        ),
        # On -rating, so that one row comparison serves "rating ascending, date and id descending"; with the rating, so
        # that it can be read without the table.
        Index(
            "ix_reviews_lowest_rated",
            "product_id",
            text("(- rating)"),
            "created_at",
            "review_id",
            postgresql_include=["rating"],
            postgresql_where=text("NOT reported"),
        ),
        Index(
            "ix_reviews_with_photos",
            "product_id",
            "created_at",
            "review_id",
            postgresql_where=text("NOT reported AND photo_count > 0"),
        ),
        Index(
            "ix_reviews_words",
            func.review_words(text("product_id"), text("summary"), text("body")),
            postgresql_using="gin",
        ),
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Product.product_id, ondelete="CASCADE"), primary_key=True
    )
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rating: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    summary: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    recommended: Mapped[bool]
    reported: Mapped[bool] = mapped_column(server_default=text("false"))
    reviewer_name: Mapped[str] = mapped_column(Text)
    reviewer_email: Mapped[str] = mapped_column(Text)
    response: Mapped[str | None] = mapped_column(Text)
    helpfulness: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    photo_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    relevance: Mapped[float] = mapped_column(
        Double,
        Computed(
            "(extract(epoch FROM created_at AT TIME ZONE 'UTC') / 86400)::double precision"
            " + 90 * ln(1 + helpfulness::double precision) / ln(2::double precision)",
            persisted=True,
        ),
    )


class Photo(Base):
    """A shopper's photo."""

    __tablename__ = "photos"
    __table_args__ = (
        ForeignKeyConstraint(["product_id", "review_id"], [Review.product_id, Review.review_id], ondelete="CASCADE"),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    photo_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(Text)


class Rating(Base):
    """What one review says of one characteristic. ``rating_id`` is the number of the CSV row."""

    __tablename__ = "ratings"
    __table_args__ = (
        CheckConstraint("value BETWEEN 1 AND 5", name="value_1_to_5"),
        ForeignKeyConstraint(["product_id", "review_id"], [Review.product_id, Review.review_id], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["product_id", "characteristic_id"],
            [Characteristic.product_id, Characteristic.characteristic_id],
            ondelete="CASCADE",
        ),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    characteristic_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    rating_id: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[int] = mapped_column(SmallInteger)


class ProductFigures(Base):
    """How many visible reviews a product has in each of 20 cells, and how many photos they show. Kept by triggers."""

    __tablename__ = "product_figures"
    __table_args__ = (CheckConstraint("cardinality(counts) = 20", name="twenty_cells"),)

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Product.product_id, ondelete="CASCADE"), primary_key=True
    )
    counts: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("array_fill(0, ARRAY[20])"))
    photo_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class CharacteristicFigures(Base):
    """How many visible reviews chose 1, 2, 3, 4 and 5 for a characteristic. Kept by triggers."""

    __tablename__ = "characteristic_figures"
    __table_args__ = (
        CheckConstraint("cardinality(counts) = 5", name="five_values"),
        ForeignKeyConstraint(
            ["product_id", "characteristic_id"],
            [Characteristic.product_id, Characteristic.characteristic_id],
            ondelete="CASCADE",
        ),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    characteristic_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    counts: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("array_fill(0, ARRAY[5])"))


class CategoryFigures(Base):
    """How many products a category has; the row named '' counts those without one. Kept by triggers."""

    __tablename__ = "category_figures"

    category: Mapped[str] = mapped_column(Text, primary_key=True)
    product_count: Mapped[int] = mapped_column(BigInteger)


class HelpfulVote(Base):
    """One helpful vote. ``voter`` is the keyed hash of the client's mark; null where the client gave none.

    ``client`` is that of the address it came from; null where no key is set. ``undone_by`` is the number of the
    moderation that took it out of the count.
    """

    __tablename__ = "helpful_votes"
    __table_args__ = (
        ForeignKeyConstraint(["product_id", "review_id"], [Review.product_id, Review.review_id], ondelete="CASCADE"),
        UniqueConstraint("product_id", "review_id", "voter"),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    vote_id: Mapped[int] = mapped_column(
        BigInteger, vote_numbers, primary_key=True, server_default=vote_numbers.next_value()
    )
    voter: Mapped[bytes | None] = mapped_column(LargeBinary)
    voted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    client: Mapped[bytes | None] = mapped_column(LargeBinary)
    undone_by: Mapped[int | None] = mapped_column(BigInteger)


class Report(Base):
    """One report of a review. ``voter``, ``client`` and ``undone_by`` as in ``HelpfulVote``.

    ``found_visible``: whether the review was visible until then, and no file has said since that it is to be hidden.
    """

    __tablename__ = "reports"
    __table_args__ = (
        ForeignKeyConstraint(["product_id", "review_id"], [Review.product_id, Review.review_id], ondelete="CASCADE"),
        UniqueConstraint("product_id", "review_id", "voter"),
    )

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    report_id: Mapped[int] = mapped_column(
        BigInteger, report_numbers, primary_key=True, server_default=report_numbers.next_value()
    )
    voter: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    client: Mapped[bytes | None] = mapped_column(LargeBinary)
    undone_by: Mapped[int | None] = mapped_column(BigInteger)
    found_visible: Mapped[bool] = mapped_column(server_default=text("true"))


class Moderation(Base):
    """What an operator did to one review: hid it, restored it, or took votes or reports of it out of the count.

    One command has one number, and a row for each of its reviews. ``counted``: how many votes or reports it took out
    or in; ``hidden``: whether the review is hidden since.
    """

    __tablename__ = "moderations"
    __table_args__ = (
        CheckConstraint("action IN ('HIDE', 'RESTORE', 'UNDO_VOTES', 'UNDO_REPORTS', 'REDO')", name="action_known"),
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Product.product_id, ondelete="CASCADE"), primary_key=True
    )
    review_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    moderation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(Text)
    counted: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    hidden: Mapped[bool]
    made_by: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class IdempotencyKey(Base):
    """What an ``idempotencyKey`` stands for, for seven days: the SHA-256 of the input and the review it made.

    One that has expired is removed with a later new key of its product.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_product_id_created_at", "product_id", "created_at"),)

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Product.product_id, ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    review_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Load(Base):
    """One finished run of ``python -m etl load``: which files, told by their fingerprint, and its report."""

    __tablename__ = "loads"

    load_id: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default=Sequence("load_numbers", metadata=Base.metadata).next_value(),
    )
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(Text)
    report: Mapped[str] = mapped_column(Text)
    finished_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class LoadProgress(Base):
    """The load that is under way or was killed: which files, and what was true of them when it began. One row.

    ``layout`` and ``chunk_bytes`` tell how the rows were cut into chunks; another build may cut them otherwise. Once
    ``switched``, readers see the new catalogue, and ``pending`` are the statements that are left: indexes that only
    speed up.
    """

    __tablename__ = "load_progress"
    __table_args__ = (CheckConstraint("one", name="only_one"),)

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(Text)
    layout: Mapped[int] = mapped_column(Integer)
    chunk_bytes: Mapped[int] = mapped_column(BigInteger)
    first_number: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    switched: Mapped[bool] = mapped_column(server_default=text("false"))
    pending: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class LoadChunk(Base):
    """Rows that the load under way has committed. ``part``: what they are a chunk of, such as a table."""

    __tablename__ = "load_chunks"

    part: Mapped[str] = mapped_column(Text, primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    row_count: Mapped[int] = mapped_column(BigInteger)


class LoadMarks(Base):
    """Hashes of the rows of the last load, 65,536 numbers a page, 8 bytes each, little endian; 0: no such row."""

    __tablename__ = "load_marks"

    table_name: Mapped[str] = mapped_column(Text, primary_key=True)
    page: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    marks: Mapped[bytes] = mapped_column(LargeBinary)


class Change(Base):
    """What one statement of a transaction has changed, recorded by triggers: tags with blanks between them.

    ``product_id`` is one of those changed, 0 where everything may have: it says where the row lies, no more.
    """

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_xid", "xid", "change_id"),)

    product_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    change_id: Mapped[int] = mapped_column(
        BigInteger, change_numbers, primary_key=True, server_default=change_numbers.next_value()
    )
    xid: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
    tags: Mapped[str] = mapped_column(Text)


class ChangesForgotten(Base):
    """Which changes are gone: those of transactions below ``forgotten_until``. One row.

    Those below ``next_until`` could be read at ``next_at``; ten minutes later they go too.
    """

    __tablename__ = "changes_forgotten"
    __table_args__ = (CheckConstraint("one", name="only_one"),)

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    forgotten_until: Mapped[int] = mapped_column(Xid8)
    next_until: Mapped[int] = mapped_column(Xid8)
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class StoredDocument(Base):
    """The text of a GraphQL document that a client registered under its SHA-256, in lower-case hexadecimal."""

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="hash"),
        Index("ix_documents_last_used_at", "last_used_at", "sha256"),
    )

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
