"""Keep slots, tickets, passes, payments, visits and loans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tourism_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tourism_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.String(length=6), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("to", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tourism_act")),
    )
    op.create_table(
        "tourism_loan",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("lent_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("renewals", sa.SmallInteger(), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_tourism_loan")),
        sa.UniqueConstraint("id", name=op.f("uq_tourism_loan_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tourism_loan_asn"), "tourism_loan", ["asn"], unique=False)
    op.create_index(
        "uq_tourism_loan_item_out",
        "tourism_loan",
        ["venue", "item"],
        unique=True,
        sqlite_where=sa.text("returned_on IS NULL"),
        postgresql_where=sa.text("returned_on IS NULL"),
    )
    op.create_table(
        "tourism_pass",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.Column("seller", sa.Integer(), nullable=False),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("frozen_on", sa.Date(), nullable=True),
        sa.Column("frozen_days", sa.Integer(), nullable=False),
        sa.Column("on_card", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'active', 'frozen', 'cancelled')", name=op.f("ck_tourism_pass_state")
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_tourism_pass")),
        sa.UniqueConstraint("id", name=op.f("uq_tourism_pass_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tourism_pass_asn"), "tourism_pass", ["asn"], unique=False)
    op.create_table(
        "tourism_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.String(length=100), nullable=False),
        sa.Column("onward", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_tourism_payment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tourism_payment")),
    )
    op.create_index(op.f("ix_tourism_payment_asn"), "tourism_payment", ["asn"], unique=False)
    op.create_index("ix_tourism_payment_right", "tourism_payment", ["service", "serial"], unique=False)
    op.create_table(
        "tourism_reader",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_tourism_reader")),
    )
    op.create_table(
        "tourism_refund",
        sa.Column("payment", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=5), nullable=False),
        sa.Column("waits_for", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN ('due', 'given')", name=op.f("ck_tourism_refund_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_tourism_refund_amount")),
        sa.PrimaryKeyConstraint("payment", name=op.f("pk_tourism_refund")),
    )
    op.create_index(op.f("ix_tourism_refund_asn"), "tourism_refund", ["asn"], unique=False)
    op.create_table(
        "tourism_run",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tourism_run")),
    )
    op.create_table(
        "tourism_slot",
        sa.Column("show", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts", sa.DateTime(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name=op.f("ck_tourism_slot_never_oversold")),
        sa.PrimaryKeyConstraint("show", "starts", name=op.f("pk_tourism_slot")),
    )
    op.create_table(
        "tourism_ticket",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("show", sa.Integer(), nullable=False),
        sa.Column("starts", sa.DateTime(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("points_fen", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("step_to", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'paid', 'card', 'used', 'returned', 'lapsed')",
            name=op.f("ck_tourism_ticket_state"),
        ),
        sa.CheckConstraint("way IN ('account', 'purse')", name=op.f("ck_tourism_ticket_way")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_tourism_ticket")),
        sa.UniqueConstraint("id", name=op.f("uq_tourism_ticket_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tourism_ticket_asn"), "tourism_ticket", ["asn"], unique=False)
    op.create_index("ix_tourism_ticket_held", "tourism_ticket", ["state", "held_until"], unique=False)
    op.create_table(
        "tourism_visit",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column("right", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_tourism_visit")),
    )
    op.create_index(op.f("ix_tourism_visit_asn"), "tourism_visit", ["asn"], unique=False)
    op.create_index("ix_tourism_visit_venue", "tourism_visit", ["venue", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_tourism_visit_venue", table_name="tourism_visit")
    op.drop_index(op.f("ix_tourism_visit_asn"), table_name="tourism_visit")
    op.drop_table("tourism_visit")
    op.drop_index("ix_tourism_ticket_held", table_name="tourism_ticket")
    op.drop_index(op.f("ix_tourism_ticket_asn"), table_name="tourism_ticket")
    op.drop_table("tourism_ticket")
    op.drop_table("tourism_slot")
    op.drop_table("tourism_run")
    op.drop_index(op.f("ix_tourism_refund_asn"), table_name="tourism_refund")
    op.drop_table("tourism_refund")
    op.drop_table("tourism_reader")
    op.drop_index("ix_tourism_payment_right", table_name="tourism_payment")
    op.drop_index(op.f("ix_tourism_payment_asn"), table_name="tourism_payment")
    op.drop_table("tourism_payment")
    op.drop_index(op.f("ix_tourism_pass_asn"), table_name="tourism_pass")
    op.drop_table("tourism_pass")
    op.drop_index(
        "uq_tourism_loan_item_out",
        table_name="tourism_loan",
        sqlite_where=sa.text("returned_on IS NULL"),
        postgresql_where=sa.text("returned_on IS NULL"),
    )
    op.drop_index(op.f("ix_tourism_loan_asn"), table_name="tourism_loan")
    op.drop_table("tourism_loan")
    op.drop_table("tourism_act")
