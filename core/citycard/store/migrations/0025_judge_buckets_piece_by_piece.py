"""Let clearing read loads from their index, and judge a bucket piece by piece."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.errors import MigrationRefused

revision = "citycard_0025"
down_revision = "citycard_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_load_asn", table_name="load")
    op.create_index("ix_load_asn", "load", ["asn", "online_atc", "state", "amount_fen", "at"])
    op.execute("ALTER TABLE clearing_part RENAME COLUMN bucket TO share")


def downgrade() -> None:
    """Go back as long as no run has cut a bucket: the older code would find a part of its cards only."""
    cut = op.get_bind().execute(sa.text("SELECT min(run) FROM clearing_part WHERE share > 15")).scalar()
    if cut is not None:
        reason = (
            f"run {cut} has judged buckets piece by piece, and the older version would lose cards of them"
        )
        advice = "stay with this version, or restore a backup from before"
        raise MigrationRefused(owner="citycard", reason=f"{reason}: {advice}")
    op.drop_index("ix_load_asn", table_name="load")
    op.create_index("ix_load_asn", "load", ["asn", "online_atc"])
    op.execute("ALTER TABLE clearing_part RENAME COLUMN share TO bucket")
