# Over 400 lines because one revision makes all of these tables.
"""Create the tables of city hall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "egov_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "egov_came_query",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_came_query")),
    )
    op.create_table(
        "egov_challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("challenge", sa.LargeBinary(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_challenge")),
    )
    op.create_index("ix_egov_challenge_expires_at", "egov_challenge", ["expires_at"], unique=False)
    op.create_table(
        "egov_exchange_log",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_egov_exchange_log")),
    )
    op.create_table(
        "egov_notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("body", sa.String(length=4000), nullable=False),
        sa.Column("body_zh", sa.String(length=4000), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("published_by", sa.String(length=100), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_notice")),
    )
    op.create_table(
        "egov_plan",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("first_by", sa.String(length=100), nullable=True),
        sa.Column("first_at", sa.DateTime(), nullable=True),
        sa.Column("second_by", sa.String(length=100), nullable=True),
        sa.Column("second_at", sa.DateTime(), nullable=True),
        sa.Column("paid_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_plan")),
    )
    op.create_table(
        "egov_reading",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("reader", sa.String(length=100), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_egov_reading")),
    )
    op.create_index("ix_egov_reading_resident", "egov_reading", ["resident", "seq"], unique=False)
    op.create_table(
        "egov_resident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_resident")),
        sa.UniqueConstraint("digest", name=op.f("uq_egov_resident_digest")),
    )
    op.create_table(
        "egov_ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("window", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("called_at", sa.DateTime(), nullable=True),
        sa.Column("called_by", sa.String(length=100), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_ticket")),
        sa.UniqueConstraint("window", "day", "number", name=op.f("uq_egov_ticket_window_day_number")),
    )
    op.create_table(
        "egov_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("form_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("filed_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_application_resident_egov_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_application")),
    )
    op.create_index(
        "ix_egov_application_department", "egov_application", ["department", "state", "due_on"], unique=False
    )
    op.create_index("ix_egov_application_resident", "egov_application", ["resident"], unique=False)
    op.create_table(
        "egov_card",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_card_resident_egov_resident")
        ),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_egov_card")),
    )
    op.create_index("ix_egov_card_resident", "egov_card", ["resident"], unique=False)
    op.create_table(
        "egov_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("asker", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_consent_resident_egov_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_consent")),
    )
    op.create_index("ix_egov_consent_resident", "egov_consent", ["resident"], unique=False)
    op.create_table(
        "egov_plan_line",
        sa.Column("plan", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["egov_plan.id"], name=op.f("fk_egov_plan_line_plan_egov_plan")),
        sa.PrimaryKeyConstraint("plan", "line", name=op.f("pk_egov_plan_line")),
    )
    op.create_index("ix_egov_plan_line_asn", "egov_plan_line", ["asn"], unique=False)
    op.create_table(
        "egov_proof",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_proof_resident_egov_resident")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_egov_proof")),
    )
    op.create_index("ix_egov_proof_resident", "egov_proof", ["resident"], unique=False)
    op.create_table(
        "egov_told",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("value_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_told_resident_egov_resident")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_egov_told")),
    )
    op.create_index("ix_egov_told_resident", "egov_told", ["resident", "field", "seq"], unique=False)
    op.create_table(
        "egov_application_step",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("application", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("act", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"],
            ["egov_application.id"],
            name=op.f("fk_egov_application_step_application_egov_application"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_egov_application_step")),
        sa.UniqueConstraint("act", name=op.f("uq_egov_application_step_act")),
    )
    op.create_index(
        "ix_egov_application_step_application", "egov_application_step", ["application", "seq"], unique=False
    )
    op.create_table(
        "egov_conflict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("standing", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("told", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("chosen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("settled_by", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["chosen"], ["egov_told.seq"], name=op.f("fk_egov_conflict_chosen_egov_told")
        ),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_conflict_resident_egov_resident")
        ),
        sa.ForeignKeyConstraint(
            ["standing"], ["egov_told.seq"], name=op.f("fk_egov_conflict_standing_egov_told")
        ),
        sa.ForeignKeyConstraint(["told"], ["egov_told.seq"], name=op.f("fk_egov_conflict_told_egov_told")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_egov_conflict")),
    )
    op.create_index("ix_egov_conflict_resident", "egov_conflict", ["resident", "field"], unique=False)
    op.create_table(
        "egov_standing",
        sa.Column("resident", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("told", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident"], ["egov_resident.id"], name=op.f("fk_egov_standing_resident_egov_resident")
        ),
        sa.ForeignKeyConstraint(["told"], ["egov_told.seq"], name=op.f("fk_egov_standing_told_egov_told")),
        sa.PrimaryKeyConstraint("resident", "field", name=op.f("pk_egov_standing")),
    )
    for table in ("egov_exchange_log", "egov_reading"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("egov_standing")
    op.drop_index("ix_egov_conflict_resident", table_name="egov_conflict")
    op.drop_table("egov_conflict")
    op.drop_index("ix_egov_application_step_application", table_name="egov_application_step")
    op.drop_table("egov_application_step")
    op.drop_index("ix_egov_told_resident", table_name="egov_told")
    op.drop_table("egov_told")
    op.drop_index("ix_egov_proof_resident", table_name="egov_proof")
    op.drop_table("egov_proof")
    op.drop_index("ix_egov_plan_line_asn", table_name="egov_plan_line")
    op.drop_table("egov_plan_line")
    op.drop_index("ix_egov_consent_resident", table_name="egov_consent")
    op.drop_table("egov_consent")
    op.drop_index("ix_egov_card_resident", table_name="egov_card")
    op.drop_table("egov_card")
    op.drop_index("ix_egov_application_resident", table_name="egov_application")
    op.drop_index("ix_egov_application_department", table_name="egov_application")
    op.drop_table("egov_application")
    op.drop_table("egov_ticket")
    op.drop_table("egov_resident")
    op.drop_index("ix_egov_reading_resident", table_name="egov_reading")
    op.drop_table("egov_reading")
    op.drop_table("egov_plan")
    op.drop_table("egov_notice")
    op.drop_table("egov_exchange_log")
    op.drop_index("ix_egov_challenge_expires_at", table_name="egov_challenge")
    op.drop_table("egov_challenge")
    op.drop_table("egov_came_query")
