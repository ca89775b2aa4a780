"""Say what online payments were for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0023"
down_revision = "citycard_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment", sa.Column("service", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("payment", "service")
