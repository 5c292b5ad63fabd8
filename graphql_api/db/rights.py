"""What the role that the gateway connects as may do: what its statements need, and nothing else.

Triggers run as whoever writes, so the figures and the changes that they keep are among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

WHOLE: tuple[str, ...] = ()

READ_OF_REVIEWS = (
    *("product_id", "review_id", "rating", "created_at", "summary", "body", "recommended", "reported"),
    *("reviewer_name", "response", "helpfulness", "photo_count", "relevance"),
)
"""All columns but the e-mail address, which is written and never read."""

WRITTEN_OF_REVIEWS = (
    *("product_id", "review_id", "rating", "created_at", "summary", "body", "recommended", "reviewer_name"),
    *("reviewer_email", "photo_count"),
)

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "alembic_version": {"SELECT": WHOLE},
    # A row is locked by those alone who may update one of its columns. This one refers to by figures, whose key lets
    # nobody change it.
    "products": {"SELECT": WHOLE, "UPDATE": ("product_id",)},
    "characteristics": {"SELECT": WHOLE, "UPDATE": ("characteristic_id",)},
    "reviews": {
        "SELECT": READ_OF_REVIEWS,
        "INSERT": WRITTEN_OF_REVIEWS,
        "UPDATE": ("reported", "helpfulness", "photo_count"),
    },
    "photos": {"SELECT": WHOLE, "INSERT": WHOLE},
    "ratings": {"SELECT": WHOLE, "INSERT": WHOLE},
    "product_figures": {"SELECT": WHOLE, "UPDATE": ("counts", "photo_count")},
    "characteristic_figures": {"SELECT": WHOLE, "UPDATE": ("counts",)},
    "category_figures": {"SELECT": WHOLE},
    "helpful_votes": {
        "SELECT": ("product_id", "review_id", "vote_id", "voter"),
        "INSERT": ("product_id", "review_id", "vote_id", "voter", "client"),
    },
    "reports": {
        "SELECT": ("product_id", "review_id", "report_id", "voter", "client", "undone_by"),
        "INSERT": ("product_id", "review_id", "report_id", "voter", "client", "reason", "found_visible"),
    },
    "moderations": {"SELECT": ("product_id", "review_id", "moderation_id", "action")},
    "idempotency_keys": {"SELECT": WHOLE, "INSERT": WHOLE, "UPDATE": WHOLE, "DELETE": WHOLE},
    "documents": {"SELECT": WHOLE, "INSERT": WHOLE, "UPDATE": WHOLE, "DELETE": WHOLE},
    "changes": {"SELECT": WHOLE, "INSERT": WHOLE, "DELETE": WHOLE},
    "changes_forgotten": {"SELECT": WHOLE, "UPDATE": WHOLE},
}
"""By table, what may be done to which of its columns; ``WHOLE``: to all."""

NUMBERS = ("review_numbers", "photo_numbers", "rating_numbers", "vote_numbers", "report_numbers", "change_numbers")
"""The sequences that give numbers to what the gateway writes."""

_MISSING = """
    SELECT privilege || ' on ' || name || coalesce('(' || of_column || ')', '')
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (name, privilege, of_column, place)
    WHERE NOT CASE
        WHEN to_regclass(name) IS NULL THEN true
        WHEN privilege = 'USAGE' THEN has_sequence_privilege(name, privilege)
        WHEN of_column IS NULL THEN has_table_privilege(name, privilege)
        ELSE has_column_privilege(name, of_column, privilege)
    END
    ORDER BY place
"""
_MORE = """
    SELECT said FROM (VALUES
        (1, 'is a superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)),
        (2, 'may make roles or databases',
            (SELECT rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user)),
        (3, 'owns the tables', pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'reviews'::regclass), 'USAGE')),
        (4, 'may make tables', has_schema_privilege(
            (SELECT relnamespace FROM pg_class WHERE oid = 'reviews'::regclass), 'CREATE')),
        (5, 'may empty tables', has_table_privilege('reviews', 'TRUNCATE')),
        (6, 'may delete reviews', has_table_privilege('reviews', 'DELETE')),
        (7, 'may read e-mail addresses', has_column_privilege('reviews', 'reviewer_email', 'SELECT'))
    ) AS more (place, said, is_so) WHERE is_so ORDER BY place
"""


@dataclass(frozen=True)
class Rights:
    """How the rights of a role differ from what is needed: sentences' parts, empty where they do not."""

    role: str
    missing: tuple[str, ...]
    more: tuple[str, ...]


async def rights_of(connection: asyncpg.Connection) -> Rights:
    """Of the role that ``connection`` is of, on a database at our revision."""
    asked = [
        (table, privilege, column)
        for table, privileges in RIGHTS.items()
        for privilege, columns in privileges.items()
        for column in (columns or (None,))
    ]
    asked += [(sequence, "USAGE", None) for sequence in NUMBERS]
    missing = await connection.fetch(_MISSING, *(list(column) for column in zip(*asked, strict=True)))
    more = await connection.fetch(_MORE)
    return Rights(
        await connection.fetchval("SELECT current_user::text"),
        tuple(text for (text,) in missing),
        tuple(text for (text,) in more),
    )
