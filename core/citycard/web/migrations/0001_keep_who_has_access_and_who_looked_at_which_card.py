"""Keep who has access and who looked at which card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "access_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_reading",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=12), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_access_reading")),
    )
    op.create_index("ix_access_reading_asn", "access_reading", ["asn", "at"], unique=False)
    op.create_table(
        "access_token",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("parent", sa.String(length=12), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
    )
    op.create_index("ix_access_token_parent", "access_token", ["parent"], unique=False)
    for table in ("access_reading",):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_access_token_parent", table_name="access_token")
    op.drop_table("access_token")
    op.drop_index("ix_access_reading_asn", table_name="access_reading")
    op.drop_table("access_reading")
