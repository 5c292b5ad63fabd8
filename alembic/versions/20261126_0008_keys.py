"""Idempotency keys that have expired are found by their product: a new key of it removes some of them."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_idempotency_keys_product_id_created_at ON idempotency_keys (product_id, created_at)")
    op.execute("DROP INDEX ix_idempotency_keys_created_at")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)")
    op.execute("DROP INDEX ix_idempotency_keys_product_id_created_at")
