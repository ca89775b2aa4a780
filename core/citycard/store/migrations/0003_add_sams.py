"""Add SAMs: which exist, what they may do, who holds them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0003"
down_revision = "citycard_0002"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sam",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("ck_sam_revoked")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.number"], name=op.f("fk_sam_terminal_terminal")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sam")),
        sa.UniqueConstraint("terminal", name=op.f("uq_sam_terminal")),
    )
    op.create_table(
        "sam_key",
        sa.Column("sam", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sam"], ["sam.number"], name=op.f("fk_sam_key_sam_sam")),
        sa.PrimaryKeyConstraint("sam", "purpose", "version", name=op.f("pk_sam_key")),
    )
    op.create_table(
        "sam_change",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("sam", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sam"], ["sam.number"], name=op.f("fk_sam_change_sam_sam")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_sam_change")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sam_change_sam"), "sam_change", ["sam"], unique=False)
    for statement in append_only_sql("sam_change", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("sam_change")
    op.drop_table("sam_key")
    op.drop_table("sam")
