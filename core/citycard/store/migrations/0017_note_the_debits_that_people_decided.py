"""Note the debits that people decided, so that no run pays them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0017"
down_revision = "citycard_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clearing_settled",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(length=128), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_clearing_settled")),
    )
    op.create_index(op.f("ix_clearing_settled_bucket"), "clearing_settled", ["bucket"], unique=False)
    for statement in append_only_sql("clearing_settled", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_clearing_settled_bucket"), table_name="clearing_settled")
    op.drop_table("clearing_settled")
