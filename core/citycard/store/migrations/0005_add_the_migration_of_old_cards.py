"""Add the migration of old sector cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0005"
down_revision = "citycard_0004"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "card_migration",
        sa.Column("old_card", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=14), nullable=False),
        sa.Column("new_asn", sa.String(length=20), nullable=False),
        sa.Column("card_kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=True),
        sa.Column("dedicated", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('intended', 'locked', 'emptied', 'loaded', 'done')",
            name=op.f("ck_card_migration_state"),
        ),
        sa.CheckConstraint(
            "state = 'intended' OR balance_fen >= 0 AND dedicated >= 0",
            name=op.f("ck_card_migration_amounts"),
        ),
        sa.ForeignKeyConstraint(["new_asn"], ["card.asn"], name=op.f("fk_card_migration_new_asn_card")),
        sa.PrimaryKeyConstraint("old_card", name=op.f("pk_card_migration")),
        sa.UniqueConstraint("new_asn", name=op.f("uq_card_migration_new_asn")),
    )
    op.create_table(
        "card_migration_step",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("old_card", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["old_card"],
            ["card_migration.old_card"],
            name=op.f("fk_card_migration_step_old_card_card_migration"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_card_migration_step")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_card_migration_step_old_card"), "card_migration_step", ["old_card"])
    op.create_table(
        "card_carryover",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("old_card", sa.String(length=16), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_card_carryover_quantity")),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_card_carryover_asn_card")),
        sa.ForeignKeyConstraint(
            ["old_card"], ["card_migration.old_card"], name=op.f("fk_card_carryover_old_card_card_migration")
        ),
        sa.PrimaryKeyConstraint("asn", "unit", name=op.f("pk_card_carryover")),
    )
    for table in ("card_migration_step", "card_carryover"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("card_carryover")
    op.drop_table("card_migration_step")
    op.drop_table("card_migration")
