"""Say who gave up a gap or changed a partner, why and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0019"
down_revision = "citycard_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gap", sa.Column("written_off_by", sa.String(length=100), nullable=True))
    op.add_column("gap", sa.Column("written_off_reason", sa.String(length=300), nullable=True))
    op.add_column("gap", sa.Column("written_off_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "partner_change",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=100), nullable=False),
        sa.Column("after", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name=op.f("fk_partner_change_partner_partner")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_partner_change")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_partner_change_partner"), "partner_change", ["partner"], unique=False)
    for statement in append_only_sql("partner_change", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_partner_change_partner"), table_name="partner_change")
    op.drop_table("partner_change")
    for column in ("written_off_at", "written_off_reason", "written_off_by"):
        op.drop_column("gap", column)
