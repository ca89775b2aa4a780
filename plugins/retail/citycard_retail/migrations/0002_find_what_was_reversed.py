"""Find what was reversed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "retail_0002"
down_revision = "retail_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_retail_message_reversed",
        "retail_message",
        ["act"],
        unique=False,
        sqlite_where=sa.text("reversed = 1"),
        postgresql_where=sa.text("reversed = 1"),
    )


def downgrade() -> None:
    op.drop_index("ix_retail_message_reversed", table_name="retail_message")
