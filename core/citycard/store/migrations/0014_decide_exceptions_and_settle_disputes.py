"""Decide exceptions, settle disputes, and cap what a run pays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0014"
down_revision = "citycard_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clearing_adjustment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("debit", sa.String(length=200), nullable=False),
        sa.Column("credit", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_clearing_adjustment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_adjustment")),
    )
    op.create_index(op.f("ix_clearing_adjustment_about"), "clearing_adjustment", ["about"], unique=False)
    op.create_index(op.f("ix_clearing_adjustment_cause"), "clearing_adjustment", ["cause"], unique=False)
    op.create_table(
        "clearing_case_step",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_clearing_case_step")),
        sa.UniqueConstraint("id", name=op.f("uq_clearing_case_step_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_clearing_case_step_about"), "clearing_case_step", ["about"], unique=False)
    op.create_table(
        "clearing_adjusted",
        sa.Column("adjustment", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adjustment"],
            ["clearing_adjustment.id"],
            name=op.f("fk_clearing_adjusted_adjustment_clearing_adjustment"),
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["clearing_run.number"], name=op.f("fk_clearing_adjusted_run_clearing_run")
        ),
        sa.PrimaryKeyConstraint("adjustment", name=op.f("pk_clearing_adjusted")),
    )
    op.create_index(op.f("ix_clearing_adjusted_run"), "clearing_adjusted", ["run"], unique=False)
    op.create_table(
        "clearing_decision",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("bearer", sa.String(length=8), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("proposed_by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(how = 'accepted') = (bearer <> '')", name=op.f("ck_clearing_decision_bearer")),
        sa.CheckConstraint("how IN ('accepted', 'rejected', 'left')", name=op.f("ck_clearing_decision_how")),
        sa.ForeignKeyConstraint(
            ["run"], ["clearing_run.number"], name=op.f("fk_clearing_decision_run_clearing_run")
        ),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_clearing_decision")),
    )
    op.create_index(op.f("ix_clearing_decision_run"), "clearing_decision", ["run"], unique=False)
    op.create_table(
        "clearing_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=8), nullable=False),
        sa.Column("partner", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence_until", sa.Date(), nullable=False),
        sa.Column("decide_until", sa.Date(), nullable=False),
        sa.CheckConstraint("(party = 'partner') = (partner <> '')", name=op.f("ck_clearing_dispute_partner")),
        sa.CheckConstraint("party IN ('partner', 'holder')", name=op.f("ck_clearing_dispute_party")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_clearing_dispute_amount")),
        sa.ForeignKeyConstraint(
            ["run"], ["clearing_run.number"], name=op.f("fk_clearing_dispute_run_clearing_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_dispute")),
        sa.UniqueConstraint(
            "party", "partner", "about", name=op.f("uq_clearing_dispute_party_partner_about")
        ),
    )
    op.create_index(op.f("ix_clearing_dispute_about"), "clearing_dispute", ["about"], unique=False)
    op.create_index(
        op.f("ix_clearing_dispute_decide_until"), "clearing_dispute", ["decide_until"], unique=False
    )
    op.create_table(
        "clearing_dispute_decision",
        sa.Column("dispute", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("bearer", sa.String(length=110), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("proposed_by", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'refused') = (amount_fen = 0)", name=op.f("ck_clearing_dispute_decision_amount")
        ),
        sa.CheckConstraint(
            "outcome IN ('upheld', 'part', 'refused')", name=op.f("ck_clearing_dispute_decision_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["dispute"],
            ["clearing_dispute.id"],
            name=op.f("fk_clearing_dispute_decision_dispute_clearing_dispute"),
        ),
        sa.PrimaryKeyConstraint("dispute", name=op.f("pk_clearing_dispute_decision")),
    )
    op.create_table(
        "clearing_dispute_evidence",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispute", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute"],
            ["clearing_dispute.id"],
            name=op.f("fk_clearing_dispute_evidence_dispute_clearing_dispute"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_clearing_dispute_evidence")),
        sa.UniqueConstraint("id", name=op.f("uq_clearing_dispute_evidence_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_clearing_dispute_evidence_dispute"), "clearing_dispute_evidence", ["dispute"], unique=False
    )
    op.add_column("statement", sa.Column("held_fen", sa.BigInteger(), server_default="0", nullable=False))
    for table in (
        "clearing_adjusted",
        "clearing_adjustment",
        "clearing_case_step",
        "clearing_decision",
        "clearing_dispute",
        "clearing_dispute_decision",
        "clearing_dispute_evidence",
    ):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_column("statement", "held_fen")
    op.drop_index(op.f("ix_clearing_dispute_evidence_dispute"), table_name="clearing_dispute_evidence")
    op.drop_table("clearing_dispute_evidence")
    op.drop_table("clearing_dispute_decision")
    op.drop_index(op.f("ix_clearing_dispute_decide_until"), table_name="clearing_dispute")
    op.drop_index(op.f("ix_clearing_dispute_about"), table_name="clearing_dispute")
    op.drop_table("clearing_dispute")
    op.drop_index(op.f("ix_clearing_decision_run"), table_name="clearing_decision")
    op.drop_table("clearing_decision")
    op.drop_index(op.f("ix_clearing_adjusted_run"), table_name="clearing_adjusted")
    op.drop_table("clearing_adjusted")
    op.drop_index(op.f("ix_clearing_case_step_about"), table_name="clearing_case_step")
    op.drop_table("clearing_case_step")
    op.drop_index(op.f("ix_clearing_adjustment_cause"), table_name="clearing_adjustment")
    op.drop_index(op.f("ix_clearing_adjustment_about"), table_name="clearing_adjustment")
    op.drop_table("clearing_adjustment")
