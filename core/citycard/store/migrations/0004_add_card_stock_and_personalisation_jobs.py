"""Add the stock of blank cards, number ranges and personalisation jobs."""

from __future__ import annotations

revision = "citycard_0004"
down_revision = "citycard_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
