"""Who voted and reported, what moderators decided, and votes and reports that are taken out of the count, not removed.

Whether a report found its review visible tells a review that reports have hidden from one that the files had hidden
before. Of reports made until now it is not known; they count as having found it visible, so that undoing them shows it.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SEQUENCE moderation_numbers",
    # One row a review that a command was about; rows of one command share its number. Not below the review: what was
    # decided of a review outlives it, should a later export bring it again.
    """
    CREATE TABLE moderations (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        moderation_id bigint NOT NULL,
        action text NOT NULL,
        counted integer DEFAULT 0 NOT NULL,
        hidden boolean NOT NULL,
        made_by text NOT NULL,
        note text,
        made_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_moderations PRIMARY KEY (product_id, review_id, moderation_id),
        CONSTRAINT fk_moderations_products FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE,
        CONSTRAINT ck_moderations_action_known
            CHECK (action IN ('HIDE', 'RESTORE', 'UNDO_VOTES', 'UNDO_REPORTS', 'REDO'))
    )
    """,
    "ALTER TABLE helpful_votes ADD COLUMN client bytea, ADD COLUMN undone_by bigint",
    """
    ALTER TABLE reports ADD COLUMN client bytea, ADD COLUMN undone_by bigint,
        ADD COLUMN found_visible boolean DEFAULT true NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    # What is not counted is removed: the revision before this one would count it.
    op.execute("DELETE FROM helpful_votes WHERE undone_by IS NOT NULL")
    op.execute("DELETE FROM reports WHERE undone_by IS NOT NULL")
    op.execute("ALTER TABLE reports DROP COLUMN found_visible, DROP COLUMN undone_by, DROP COLUMN client")
    op.execute("ALTER TABLE helpful_votes DROP COLUMN undone_by, DROP COLUMN client")
    op.execute("DROP TABLE moderations")
    op.execute("DROP SEQUENCE moderation_numbers")
