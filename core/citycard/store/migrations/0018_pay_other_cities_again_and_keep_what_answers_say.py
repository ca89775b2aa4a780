"""Pay other cities again what the bank returned, and keep what answers say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0018"
down_revision = "citycard_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_file", sa.Column("totals", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "exchange_repaid",
        sa.Column("payment", sa.Uuid(), nullable=False),
        sa.Column("settlement", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["settlement"],
            ["exchange_settlement.id"],
            name=op.f("fk_exchange_repaid_settlement_exchange_settlement"),
        ),
        sa.PrimaryKeyConstraint("payment", name=op.f("pk_exchange_repaid")),
    )
    for statement in append_only_sql("exchange_repaid", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("exchange_repaid")
    op.drop_column("exchange_file", "totals")
