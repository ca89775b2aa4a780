"""Keep the settings that taps were made under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0022"
down_revision = "citycard_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plugin_settings",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_plugin_settings")),
    )
    op.add_column("terminal_configuration", sa.Column("settings", sa.String(length=64)))
    for statement in append_only_sql("plugin_settings", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("terminal_configuration", "settings")
    op.drop_table("plugin_settings")
