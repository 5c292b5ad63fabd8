"""What shoppers' writes leave behind: votes, reports, idempotency keys; and what loads leave: their reports."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SEQUENCE vote_numbers",
    "CREATE SEQUENCE report_numbers",
    "CREATE SEQUENCE load_numbers",
    # A voter of null is a vote without a mark: unique constraints take two nulls for different, so each one counts.
    """
    CREATE TABLE helpful_votes (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        vote_id bigint DEFAULT nextval('vote_numbers') NOT NULL,
        voter bytea,
        voted_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_helpful_votes PRIMARY KEY (product_id, review_id, vote_id),
        CONSTRAINT uq_helpful_votes_product_id_review_id_voter UNIQUE (product_id, review_id, voter),
        CONSTRAINT fk_helpful_votes_reviews FOREIGN KEY (product_id, review_id) REFERENCES reviews ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE reports (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        report_id bigint DEFAULT nextval('report_numbers') NOT NULL,
        voter bytea,
        reason text,
        reported_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_reports PRIMARY KEY (product_id, review_id, report_id),
        CONSTRAINT uq_reports_product_id_review_id_voter UNIQUE (product_id, review_id, voter),
        CONSTRAINT fk_reports_reviews FOREIGN KEY (product_id, review_id) REFERENCES reviews ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE idempotency_keys (
        product_id bigint NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        review_id bigint NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (product_id, key),
        CONSTRAINT fk_idempotency_keys_products FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    """
    CREATE TABLE loads (
        load_id bigint DEFAULT nextval('load_numbers') NOT NULL,
        fingerprint bytea NOT NULL,
        source text NOT NULL,
        report text NOT NULL,
        finished_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_loads PRIMARY KEY (load_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("loads", "idempotency_keys", "reports", "helpful_votes"):
        op.execute(f"DROP TABLE {table}")
    for sequence in ("load_numbers", "report_numbers", "vote_numbers"):
        op.execute(f"DROP SEQUENCE {sequence}")
