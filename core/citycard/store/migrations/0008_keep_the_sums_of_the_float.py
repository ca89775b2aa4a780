"""Keep the sums of the float."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0008"
down_revision = "citycard_0007"
branch_labels = None
depends_on = None

_MADE = ("float_checkpoint", "float_sum")


def upgrade() -> None:
    op.create_table(
        "float_checkpoint",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_float_checkpoint_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_float_checkpoint")),
    )
    op.create_table(
        "float_sum",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("debits_fen", sa.BigInteger(), nullable=False),
        sa.Column("credits_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["float_checkpoint.number"], name=op.f("fk_float_sum_number_float_checkpoint")
        ),
        sa.PrimaryKeyConstraint("number", "account_code", "code", name=op.f("pk_float_sum")),
    )
    for table in _MADE:
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(_MADE):
        op.drop_table(table)
