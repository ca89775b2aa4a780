"""Count the visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tabled_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tabled_visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tabled_visit")),
    )


def downgrade() -> None:
    op.drop_table("tabled_visit")
