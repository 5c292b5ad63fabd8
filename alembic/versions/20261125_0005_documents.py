"""Documents that clients have registered under their hash, known to every replica."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE documents (
        sha256 text NOT NULL,
        body text NOT NULL,
        registered_at timestamptz DEFAULT now() NOT NULL,
        last_used_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_documents PRIMARY KEY (sha256),
        CONSTRAINT ck_documents_hash CHECK (sha256 ~ '^[0-9a-f]{64}$')
    )
    """,
    # What is pushed out when there are too many is found without reading the texts.
    "CREATE INDEX ix_documents_last_used_at ON documents (last_used_at, sha256)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE documents")
