"""Keep patients, appointments, visits, claims and records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "health_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "health_patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("insured_until", sa.Date(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_patient")),
        sa.UniqueConstraint("asn", name=op.f("uq_health_patient_asn")),
    )
    op.create_index(op.f("ix_health_patient_holder"), "health_patient", ["holder"], unique=False)
    op.create_table(
        "health_run",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_health_run")),
    )
    op.create_table(
        "health_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=60), nullable=False),
        sa.Column("doctor", sa.String(length=60), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name=op.f("ck_health_slot_not_oversold")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_slot")),
        sa.UniqueConstraint(
            "clinic", "doctor", "starts_at", name=op.f("uq_health_slot_clinic_doctor_starts_at")
        ),
    )
    op.create_index("ix_health_slot_starts_at", "health_slot", ["starts_at"], unique=False)
    op.create_table(
        "health_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("insurer", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=False),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_statement")),
        sa.UniqueConstraint("insurer", "month", name=op.f("uq_health_statement_insurer_month")),
        sa.UniqueConstraint("reference", name=op.f("uq_health_statement_reference")),
    )
    op.create_table(
        "health_booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_booking_patient_health_patient")
        ),
        sa.ForeignKeyConstraint(
            ["slot"], ["health_slot.id"], name=op.f("fk_health_booking_slot_health_slot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_booking")),
    )
    op.create_index(op.f("ix_health_booking_patient"), "health_booking", ["patient"], unique=False)
    op.create_index(op.f("ix_health_booking_slot"), "health_booking", ["slot"], unique=False)
    op.create_table(
        "health_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_entry_patient_health_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_entry")),
    )
    op.create_index(op.f("ix_health_entry_patient"), "health_entry", ["patient"], unique=False)
    op.create_table(
        "health_reading",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("reader", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("break_glass", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_reading_patient_health_patient")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_health_reading")),
        sa.UniqueConstraint("id", name=op.f("uq_health_reading_id")),
    )
    op.create_index(op.f("ix_health_reading_patient"), "health_reading", ["patient"], unique=False)
    op.create_table(
        "health_sport",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("venue", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment", sa.Uuid(), nullable=True),
        sa.Column("refund", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_sport_patient_health_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_sport")),
    )
    op.create_index(op.f("ix_health_sport_patient"), "health_sport", ["patient"], unique=False)
    op.create_table(
        "health_used",
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("insured_fen", sa.BigInteger(), nullable=False),
        sa.Column("sports_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "deductible_fen >= 0 AND insured_fen >= 0 AND sports_fen >= 0",
            name=op.f("ck_health_used_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_used_patient_health_patient")
        ),
        sa.PrimaryKeyConstraint("patient", "year", name=op.f("pk_health_used")),
    )
    op.create_table(
        "health_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("clinic", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("insurer", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("use_account", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("insured_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_fen", sa.BigInteger(), nullable=False),
        sa.Column("purse_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("purse_paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("purse_returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("online_returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["health_patient.id"], name=op.f("fk_health_visit_patient_health_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_visit")),
    )
    op.create_index(op.f("ix_health_visit_clinic"), "health_visit", ["clinic"], unique=False)
    op.create_index(op.f("ix_health_visit_patient"), "health_visit", ["patient"], unique=False)
    op.create_table(
        "health_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("insurer", sa.String(length=64), nullable=False),
        sa.Column("clinic", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["visit"], ["health_visit.id"], name=op.f("fk_health_claim_visit_health_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_claim")),
    )
    op.create_index(op.f("ix_health_claim_statement"), "health_claim", ["statement"], unique=False)
    op.create_index(op.f("ix_health_claim_visit"), "health_claim", ["visit"], unique=False)
    op.create_table(
        "health_line",
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("insured_fen", sa.BigInteger(), nullable=False),
        sa.Column("refund", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit"], ["health_visit.id"], name=op.f("fk_health_line_visit_health_visit")
        ),
        sa.PrimaryKeyConstraint("visit", "place", name=op.f("pk_health_line")),
    )
    op.create_table(
        "health_paid_record",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit"], ["health_visit.id"], name=op.f("fk_health_paid_record_visit_health_visit")
        ),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_health_paid_record")),
    )
    op.create_index(op.f("ix_health_paid_record_visit"), "health_paid_record", ["visit"], unique=False)
    op.create_table(
        "health_purse_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit"], ["health_visit.id"], name=op.f("fk_health_purse_return_visit_health_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_purse_return")),
    )
    op.create_index(op.f("ix_health_purse_return_visit"), "health_purse_return", ["visit"], unique=False)
    op.create_table(
        "health_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("insured_fen", sa.BigInteger(), nullable=False),
        sa.Column("purse_fen", sa.BigInteger(), nullable=False),
        sa.Column("online_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit"], ["health_visit.id"], name=op.f("fk_health_refund_visit_health_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_refund")),
    )
    op.create_index(op.f("ix_health_refund_visit"), "health_refund", ["visit"], unique=False)
    for table in ("health_reading",):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_health_refund_visit"), table_name="health_refund")
    op.drop_table("health_refund")
    op.drop_index(op.f("ix_health_purse_return_visit"), table_name="health_purse_return")
    op.drop_table("health_purse_return")
    op.drop_index(op.f("ix_health_paid_record_visit"), table_name="health_paid_record")
    op.drop_table("health_paid_record")
    op.drop_table("health_line")
    op.drop_index(op.f("ix_health_claim_visit"), table_name="health_claim")
    op.drop_index(op.f("ix_health_claim_statement"), table_name="health_claim")
    op.drop_table("health_claim")
    op.drop_index(op.f("ix_health_visit_patient"), table_name="health_visit")
    op.drop_index(op.f("ix_health_visit_clinic"), table_name="health_visit")
    op.drop_table("health_visit")
    op.drop_table("health_used")
    op.drop_index(op.f("ix_health_sport_patient"), table_name="health_sport")
    op.drop_table("health_sport")
    op.drop_index(op.f("ix_health_reading_patient"), table_name="health_reading")
    op.drop_table("health_reading")
    op.drop_index(op.f("ix_health_entry_patient"), table_name="health_entry")
    op.drop_table("health_entry")
    op.drop_index(op.f("ix_health_booking_slot"), table_name="health_booking")
    op.drop_index(op.f("ix_health_booking_patient"), table_name="health_booking")
    op.drop_table("health_booking")
    op.drop_table("health_statement")
    op.drop_index("ix_health_slot_starts_at", table_name="health_slot")
    op.drop_table("health_slot")
    op.drop_table("health_run")
    op.drop_index(op.f("ix_health_patient_holder"), table_name="health_patient")
    op.drop_table("health_patient")
