"""Hold records until a later run decides them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0016"
down_revision = "citycard_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clearing_held_record",
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("batch_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("raw", sa.LargeBinary(length=128), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("decided_run", sa.Integer(), nullable=True),
        sa.Column("decided_code", sa.String(length=3), nullable=True),
        sa.CheckConstraint(
            "(decided_run IS NULL) = (decided_code IS NULL)", name=op.f("ck_clearing_held_record_decided")
        ),
        sa.ForeignKeyConstraint(
            ["decided_run"],
            ["clearing_run.number"],
            name=op.f("fk_clearing_held_record_decided_run_clearing_run"),
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["clearing_run.number"], name=op.f("fk_clearing_held_record_run_clearing_run")
        ),
        sa.PrimaryKeyConstraint("terminal", "batch_number", "line", name=op.f("pk_clearing_held_record")),
    )
    waiting = sa.text("decided_run IS NULL")
    op.create_index(
        "ix_clearing_held_record_waiting",
        "clearing_held_record",
        ["bucket"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_index("ix_clearing_held_record_waiting", table_name="clearing_held_record")
    op.drop_table("clearing_held_record")
