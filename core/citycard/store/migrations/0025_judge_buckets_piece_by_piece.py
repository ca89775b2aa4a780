"""Let clearing read loads from their index, and judge a bucket piece by piece."""

from __future__ import annotations

from alembic import op

revision = "citycard_0025"
down_revision = "citycard_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_load_asn", table_name="load")
    op.create_index("ix_load_asn", "load", ["asn", "online_atc", "state", "amount_fen", "at"])
    op.execute("ALTER TABLE clearing_part RENAME COLUMN bucket TO share")


def downgrade() -> None:
    op.drop_index("ix_load_asn", table_name="load")
    op.create_index("ix_load_asn", "load", ["asn", "online_atc"])
    op.execute("ALTER TABLE clearing_part RENAME COLUMN share TO bucket")
