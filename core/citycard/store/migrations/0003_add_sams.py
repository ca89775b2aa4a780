"""Add SAMs: which exist, what they may do, who holds them."""

from __future__ import annotations

revision = "citycard_0003"
down_revision = "citycard_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
