"""Add refunds of purchases and charge-backs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0009"
down_revision = "citycard_0008"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MADE = ("purchase_refund", "purchase_refund_part", "chargeback", "chargeback_step")


def upgrade() -> None:
    op.create_table(
        "purchase_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.String(length=8), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_purchase_refund_amount")),
        sa.CheckConstraint(
            "destination IN ('account', 'bank', 'cash', 'purse')", name=op.f("ck_purchase_refund_destination")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_refund")),
    )
    op.create_index(op.f("ix_purchase_refund_purchase"), "purchase_refund", ["purchase"], unique=False)
    op.create_index(op.f("ix_purchase_refund_owner"), "purchase_refund", ["owner"], unique=False)
    op.create_table(
        "purchase_refund_part",
        sa.Column("refund", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.String(length=100), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("transfer", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_purchase_refund_part_amount")),
        sa.ForeignKeyConstraint(
            ["refund"], ["purchase_refund.id"], name=op.f("fk_purchase_refund_part_refund_purchase_refund")
        ),
        sa.PrimaryKeyConstraint("refund", "partner", name=op.f("pk_purchase_refund_part")),
    )
    _chargebacks()
    for table in _MADE:
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def _chargebacks() -> None:
    op.create_table(
        "chargeback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("taken_from", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "amount_fen > 0 AND held_fen BETWEEN 0 AND amount_fen", name=op.f("ck_chargeback_amounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chargeback")),
    )
    op.create_index(op.f("ix_chargeback_topup"), "chargeback", ["topup"], unique=False)
    op.create_index(op.f("ix_chargeback_owner"), "chargeback", ["owner"], unique=False)
    op.create_table(
        "chargeback_step",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("case", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'disputed', 'won', 'lost')", name=op.f("ck_chargeback_step_state")
        ),
        sa.ForeignKeyConstraint(["case"], ["chargeback.id"], name=op.f("fk_chargeback_step_case_chargeback")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_chargeback_step")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_chargeback_step_case", "chargeback_step", ["case", "state"], unique=True)


def downgrade() -> None:
    for table in reversed(_MADE):
        op.drop_table(table)
