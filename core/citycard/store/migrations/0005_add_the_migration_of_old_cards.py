"""Add the migration of old sector cards."""

from __future__ import annotations

revision = "citycard_0005"
down_revision = "citycard_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
