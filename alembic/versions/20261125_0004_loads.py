"""What lets a load carry on after it was killed, and tells the next one which rows have changed in the files.

And an index for the lowest rated that PostgreSQL also takes once the table has been vacuumed.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One row while a load is under way. Switched: readers see it, and what is pending are the statements that are left.
    """
    CREATE TABLE load_progress (
        one boolean DEFAULT true NOT NULL,
        fingerprint bytea NOT NULL,
        source text NOT NULL,
        layout integer NOT NULL,
        chunk_bytes bigint NOT NULL,
        first_number bigint NOT NULL,
        started_at timestamptz NOT NULL,
        switched boolean DEFAULT false NOT NULL,
        pending text[] DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_load_progress PRIMARY KEY (one),
        CONSTRAINT ck_load_progress_only_one CHECK (one)
    )
    """,
    """
    CREATE TABLE load_chunks (
        part text NOT NULL,
        chunk integer NOT NULL,
        row_count bigint NOT NULL,
        CONSTRAINT pk_load_chunks PRIMARY KEY (part, chunk)
    )
    """,
    # A page holds the hashes of 65,536 numbers, 8 bytes each; they are random, so compressing them is work for nothing.
    """
    CREATE TABLE load_marks (
        table_name text NOT NULL,
        page bigint NOT NULL,
        marks bytea NOT NULL,
        CONSTRAINT pk_load_marks PRIMARY KEY (table_name, page)
    )
    """,
    "ALTER TABLE load_marks ALTER COLUMN marks SET STORAGE EXTERNAL",
    # Without the rating itself the index cannot answer alone. Once a table is vacuumed, PostgreSQL then asks the index
    # of the other order whether anything lies before a cursor, and walks all reviews of as many stars for it.
    "DROP INDEX ix_reviews_lowest_rated",
    """
    CREATE INDEX ix_reviews_lowest_rated ON reviews (product_id, (- rating), created_at, review_id) INCLUDE (rating)
    WHERE NOT reported
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_reviews_lowest_rated")
    op.execute(
        "CREATE INDEX ix_reviews_lowest_rated ON reviews (product_id, (- rating), created_at, review_id)"
        " WHERE NOT reported"
    )
    # What an interrupted load has left; without one a schema of that name is somebody else's.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM load_progress WHERE layout <> 0 AND NOT switched) THEN
                DROP SCHEMA incoming CASCADE;
            END IF;
        END $$
        """
    )
    for table in ("load_marks", "load_chunks", "load_progress"):
        op.execute(f"DROP TABLE {table}")
