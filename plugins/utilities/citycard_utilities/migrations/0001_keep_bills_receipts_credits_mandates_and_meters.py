# Over 400 lines because one revision makes all of these tables.
"""Keep bills, receipts, credits, mandates and meters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "utilities_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "utilities_bill",
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("household", sa.String(length=16), nullable=False),
        sa.Column("holder", sa.String(length=20), nullable=False),
        sa.Column("period", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("biller", "number", name=op.f("pk_utilities_bill")),
    )
    op.create_index("ix_utilities_bill_household", "utilities_bill", ["household", "biller"], unique=False)
    op.create_index("ix_utilities_bill_state", "utilities_bill", ["biller", "state"], unique=False)
    op.create_table(
        "utilities_collection",
        sa.Column("mandate", sa.Uuid(), nullable=False),
        sa.Column("bill", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("mandate", "bill", "revision", name=op.f("pk_utilities_collection")),
    )
    op.create_index(
        "ix_utilities_collection_next", "utilities_collection", ["state", "next_on"], unique=False
    )
    op.create_table(
        "utilities_credit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("household", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("left_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilities_credit")),
    )
    op.create_index(
        "ix_utilities_credit_household", "utilities_credit", ["biller", "household"], unique=False
    )
    op.create_index(op.f("ix_utilities_credit_receipt"), "utilities_credit", ["receipt"], unique=False)
    op.create_table(
        "utilities_credit_use",
        sa.Column("credit", sa.Uuid(), nullable=False),
        sa.Column("bill", sa.String(length=20), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("credit", "bill", name=op.f("pk_utilities_credit_use")),
    )
    op.create_table(
        "utilities_file",
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("biller", "digest", name=op.f("pk_utilities_file")),
    )
    op.create_table(
        "utilities_household",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("asn", "biller", "number", name=op.f("pk_utilities_household")),
    )
    op.create_table(
        "utilities_mandate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("household", sa.String(length=16), nullable=False),
        sa.Column("most_fen", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("ended_by", sa.String(length=100), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilities_mandate")),
    )
    op.create_index(op.f("ix_utilities_mandate_asn"), "utilities_mandate", ["asn"], unique=False)
    op.create_index(
        "uq_utilities_mandate_active", "utilities_mandate", ["biller", "household", "active"], unique=True
    )
    op.create_table(
        "utilities_meter_credit",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("meter", sa.String(length=12), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_utilities_meter_credit")),
    )
    op.create_index("ix_utilities_meter_credit_asn", "utilities_meter_credit", ["asn"], unique=False)
    op.create_index(
        "ix_utilities_meter_credit_meter", "utilities_meter_credit", ["biller", "meter"], unique=False
    )
    op.create_table(
        "utilities_meter_reading",
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("meter", sa.String(length=12), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("reading", sa.BigInteger(), nullable=False),
        sa.Column("left_units", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("biller", "meter", "read_at", name=op.f("pk_utilities_meter_reading")),
    )
    op.create_table(
        "utilities_receipt",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=7), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("bill", sa.String(length=20), nullable=False),
        sa.Column("household", sa.String(length=16), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("applied_fen", sa.BigInteger(), nullable=False),
        sa.Column("late_fen", sa.BigInteger(), nullable=False),
        sa.Column("credited_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("open_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilities_receipt")),
    )
    op.create_index("ix_utilities_receipt_asn", "utilities_receipt", ["asn", "at"], unique=False)
    op.create_index("ix_utilities_receipt_bill", "utilities_receipt", ["biller", "bill"], unique=False)
    op.create_index("ix_utilities_receipt_run", "utilities_receipt", ["biller", "run"], unique=False)
    op.create_index("ix_utilities_receipt_state", "utilities_receipt", ["state"], unique=False)
    op.create_table(
        "utilities_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("biller", sa.String(length=32), nullable=False),
        sa.Column("bill", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilities_return")),
    )
    op.create_index(op.f("ix_utilities_return_receipt"), "utilities_return", ["receipt"], unique=False)
    op.create_index("ix_utilities_return_state", "utilities_return", ["state"], unique=False)
    op.create_table(
        "utilities_run",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_utilities_run")),
    )


def downgrade() -> None:
    op.drop_table("utilities_run")
    op.drop_index("ix_utilities_return_state", table_name="utilities_return")
    op.drop_index(op.f("ix_utilities_return_receipt"), table_name="utilities_return")
    op.drop_table("utilities_return")
    op.drop_index("ix_utilities_receipt_state", table_name="utilities_receipt")
    op.drop_index("ix_utilities_receipt_run", table_name="utilities_receipt")
    op.drop_index("ix_utilities_receipt_bill", table_name="utilities_receipt")
    op.drop_index("ix_utilities_receipt_asn", table_name="utilities_receipt")
    op.drop_table("utilities_receipt")
    op.drop_table("utilities_meter_reading")
    op.drop_index("ix_utilities_meter_credit_meter", table_name="utilities_meter_credit")
    op.drop_index("ix_utilities_meter_credit_asn", table_name="utilities_meter_credit")
    op.drop_table("utilities_meter_credit")
    op.drop_index("uq_utilities_mandate_active", table_name="utilities_mandate")
    op.drop_index(op.f("ix_utilities_mandate_asn"), table_name="utilities_mandate")
    op.drop_table("utilities_mandate")
    op.drop_table("utilities_household")
    op.drop_table("utilities_file")
    op.drop_table("utilities_credit_use")
    op.drop_index(op.f("ix_utilities_credit_receipt"), table_name="utilities_credit")
    op.drop_index("ix_utilities_credit_household", table_name="utilities_credit")
    op.drop_table("utilities_credit")
    op.drop_index("ix_utilities_collection_next", table_name="utilities_collection")
    op.drop_table("utilities_collection")
    op.drop_index("ix_utilities_bill_state", table_name="utilities_bill")
    op.drop_index("ix_utilities_bill_household", table_name="utilities_bill")
    op.drop_table("utilities_bill")
