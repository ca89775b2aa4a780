"""Say who gave up a gap, why and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0019"
down_revision = "citycard_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gap", sa.Column("written_off_by", sa.String(length=100), nullable=True))
    op.add_column("gap", sa.Column("written_off_reason", sa.String(length=300), nullable=True))
    op.add_column("gap", sa.Column("written_off_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("written_off_at", "written_off_reason", "written_off_by"):
        op.drop_column("gap", column)
