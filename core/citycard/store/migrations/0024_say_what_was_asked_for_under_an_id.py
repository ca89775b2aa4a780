"""Say what was asked for under an id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0024"
down_revision = "citycard_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wallet_act", sa.Column("asked", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("wallet_act", "asked")
