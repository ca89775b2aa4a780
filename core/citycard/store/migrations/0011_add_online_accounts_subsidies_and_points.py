"""Add online accounts, subsidies and points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0011"
down_revision = "citycard_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "online_account",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('open', 'frozen', 'closed')", name=op.f("ck_online_account_status")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_online_account")),
        sa.UniqueConstraint("asn", name=op.f("uq_online_account_asn")),
    )
    op.create_table(
        "points_scheme",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("points_per_yuan", sa.Integer(), nullable=False),
        sa.Column("rate_fen", sa.BigInteger(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "points_per_yuan > 0 AND rate_fen > 0 AND valid_days > 0", name=op.f("ck_points_scheme_positive")
        ),
        sa.PrimaryKeyConstraint("partner", name=op.f("pk_points_scheme")),
    )
    op.create_table(
        "subsidy_programme",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("funder", sa.String(length=100), nullable=False),
        sa.Column("partners", sa.JSON(), nullable=False),
        sa.Column("partner_kinds", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_subsidy_programme_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_programme")),
    )
    op.create_table(
        "wallet_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_act")),
    )
    op.create_index(op.f("ix_wallet_act_number"), "wallet_act", ["number"], unique=False)
    op.create_table(
        "account_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_account_hold_amount")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_account_hold_number_online_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_hold")),
    )
    op.create_index(op.f("ix_account_hold_number"), "account_hold", ["number"], unique=False)
    op.create_index(op.f("ix_account_hold_partner"), "account_hold", ["partner"], unique=False)
    op.create_table(
        "account_limit",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.CheckConstraint("act IN ('pay', 'hold', 'top-up')", name=op.f("ck_account_limit_act")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_account_limit_number_online_account")
        ),
        sa.PrimaryKeyConstraint("number", "act", name=op.f("pk_account_limit")),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_payment_number_online_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index(op.f("ix_payment_number"), "payment", ["number"], unique=False)
    op.create_index(op.f("ix_payment_partner"), "payment", ["partner"], unique=False)
    op.create_table(
        "points_acceptance",
        sa.Column("scheme", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("fen_per_point", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen_per_point > 0", name=op.f("ck_points_acceptance_positive")),
        sa.ForeignKeyConstraint(
            ["scheme"], ["points_scheme.partner"], name=op.f("fk_points_acceptance_scheme_points_scheme")
        ),
        sa.PrimaryKeyConstraint("scheme", "partner", name=op.f("pk_points_acceptance")),
    )
    op.create_table(
        "points_lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("scheme", sa.String(length=64), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("unused", sa.BigInteger(), nullable=False),
        sa.Column("rate_fen", sa.BigInteger(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("earned_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("points > 0 AND unused BETWEEN 0 AND points", name=op.f("ck_points_lot_points")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_points_lot_number_online_account")
        ),
        sa.ForeignKeyConstraint(
            ["scheme"], ["points_scheme.partner"], name=op.f("fk_points_lot_scheme_points_scheme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points_lot")),
    )
    op.create_index(
        "ix_points_lot_expires_on",
        "points_lot",
        ["expires_on"],
        unique=False,
        sqlite_where=sa.text("unused > 0"),
        postgresql_where=sa.text("unused > 0"),
    )
    op.create_index(op.f("ix_points_lot_number"), "points_lot", ["number"], unique=False)
    op.create_index(op.f("ix_points_lot_scheme"), "points_lot", ["scheme"], unique=False)
    op.create_table(
        "points_rate",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("give", sa.Integer(), nullable=False),
        sa.Column("get", sa.Integer(), nullable=False),
        sa.CheckConstraint("give > 0 AND get > 0 AND source <> target", name=op.f("ck_points_rate_positive")),
        sa.ForeignKeyConstraint(
            ["source"], ["points_scheme.partner"], name=op.f("fk_points_rate_source_points_scheme")
        ),
        sa.ForeignKeyConstraint(
            ["target"], ["points_scheme.partner"], name=op.f("fk_points_rate_target_points_scheme")
        ),
        sa.PrimaryKeyConstraint("source", "target", name=op.f("pk_points_rate")),
    )
    op.create_table(
        "subsidy_funding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_subsidy_funding_amount")),
        sa.ForeignKeyConstraint(
            ["programme"],
            ["subsidy_programme.id"],
            name=op.f("fk_subsidy_funding_programme_subsidy_programme"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_funding")),
    )
    op.create_index(op.f("ix_subsidy_funding_programme"), "subsidy_funding", ["programme"], unique=False)
    op.create_table(
        "subsidy_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_subsidy_grant_amount")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_subsidy_grant_number_online_account")
        ),
        sa.ForeignKeyConstraint(
            ["programme"], ["subsidy_programme.id"], name=op.f("fk_subsidy_grant_programme_subsidy_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_grant")),
    )
    op.create_index(op.f("ix_subsidy_grant_number"), "subsidy_grant", ["number"], unique=False)
    op.create_index(op.f("ix_subsidy_grant_programme"), "subsidy_grant", ["programme"], unique=False)
    op.create_table(
        "subsidy_lapse",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('expired', 'closed', 'given back')", name=op.f("ck_subsidy_lapse_reason")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_subsidy_lapse_amount")),
        sa.ForeignKeyConstraint(
            ["number"], ["online_account.number"], name=op.f("fk_subsidy_lapse_number_online_account")
        ),
        sa.ForeignKeyConstraint(
            ["programme"], ["subsidy_programme.id"], name=op.f("fk_subsidy_lapse_programme_subsidy_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_lapse")),
    )
    op.create_index(op.f("ix_subsidy_lapse_number"), "subsidy_lapse", ["number"], unique=False)
    op.create_index(op.f("ix_subsidy_lapse_programme"), "subsidy_lapse", ["programme"], unique=False)
    op.create_table(
        "payment_part",
        sa.Column("payment", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("transfer", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "amount_fen > 0 AND returned_fen BETWEEN 0 AND amount_fen", name=op.f("ck_payment_part_amounts")
        ),
        sa.ForeignKeyConstraint(["payment"], ["payment.id"], name=op.f("fk_payment_part_payment_payment")),
        sa.PrimaryKeyConstraint("payment", "place", name=op.f("pk_payment_part")),
    )
    op.create_index(op.f("ix_payment_part_programme"), "payment_part", ["programme"], unique=False)
    op.create_table(
        "payment_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_refund_amount")),
        sa.ForeignKeyConstraint(["payment"], ["payment.id"], name=op.f("fk_payment_refund_payment_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refund")),
    )
    op.create_index(op.f("ix_payment_refund_payment"), "payment_refund", ["payment"], unique=False)
    op.create_table(
        "points_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('earn', 'use', 'exchange', 'lapse')", name=op.f("ck_points_act_kind")),
        sa.CheckConstraint("points <> 0 AND amount_fen >= 0", name=op.f("ck_points_act_amounts")),
        sa.ForeignKeyConstraint(["lot"], ["points_lot.id"], name=op.f("fk_points_act_lot_points_lot")),
        sa.PrimaryKeyConstraint("id", "lot", name=op.f("pk_points_act")),
    )
    op.add_column("statement", sa.Column("carried_fen", sa.BigInteger(), server_default="0", nullable=False))
    for table in (
        "account_hold",
        "payment",
        "payment_refund",
        "points_act",
        "subsidy_funding",
        "subsidy_grant",
        "subsidy_lapse",
        "wallet_act",
    ):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_column("statement", "carried_fen")
    op.drop_table("points_act")
    op.drop_index(op.f("ix_payment_refund_payment"), table_name="payment_refund")
    op.drop_table("payment_refund")
    op.drop_index(op.f("ix_payment_part_programme"), table_name="payment_part")
    op.drop_table("payment_part")
    op.drop_index(op.f("ix_subsidy_lapse_programme"), table_name="subsidy_lapse")
    op.drop_index(op.f("ix_subsidy_lapse_number"), table_name="subsidy_lapse")
    op.drop_table("subsidy_lapse")
    op.drop_index(op.f("ix_subsidy_grant_programme"), table_name="subsidy_grant")
    op.drop_index(op.f("ix_subsidy_grant_number"), table_name="subsidy_grant")
    op.drop_table("subsidy_grant")
    op.drop_index(op.f("ix_subsidy_funding_programme"), table_name="subsidy_funding")
    op.drop_table("subsidy_funding")
    op.drop_table("points_rate")
    op.drop_index(op.f("ix_points_lot_scheme"), table_name="points_lot")
    op.drop_index(op.f("ix_points_lot_number"), table_name="points_lot")
    op.drop_index(
        "ix_points_lot_expires_on",
        table_name="points_lot",
        sqlite_where=sa.text("unused > 0"),
        postgresql_where=sa.text("unused > 0"),
    )
    op.drop_table("points_lot")
    op.drop_table("points_acceptance")
    op.drop_index(op.f("ix_payment_partner"), table_name="payment")
    op.drop_index(op.f("ix_payment_number"), table_name="payment")
    op.drop_table("payment")
    op.drop_table("account_limit")
    op.drop_index(op.f("ix_account_hold_partner"), table_name="account_hold")
    op.drop_index(op.f("ix_account_hold_number"), table_name="account_hold")
    op.drop_table("account_hold")
    op.drop_index(op.f("ix_wallet_act_number"), table_name="wallet_act")
    op.drop_table("wallet_act")
    op.drop_table("subsidy_programme")
    op.drop_table("points_scheme")
    op.drop_table("online_account")
