"""Seal the ledger: seals over transfers, refusals and accounts; every account waits for its first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0012"
down_revision = "citycard_0011"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    refused = sa.text("posted_seq IS NULL")
    op.create_index(
        "ix_request_first_seen", "request", ["first_seen"], sqlite_where=refused, postgresql_where=refused
    )
    _create_seal()
    op.create_table(
        "account_seal",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_seal_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_seal")),
    )
    op.create_index("ix_account_seal_seal", "account_seal", ["seal", "account_id"])
    op.execute("INSERT INTO account_seal (account_id) SELECT id FROM account")


def _create_seal() -> None:
    op.create_table(
        "seal",
        sa.Column("seq", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("first_posted_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_posted_seq", sa.BigInteger(), nullable=False),
        sa.Column("refused_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("accounts_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transfers_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("refusals_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(length=60), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.CheckConstraint("last_posted_seq = first_posted_seq + transfers - 1", name=op.f("ck_seal_span")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_seal")),
    )
    for statement in append_only_sql("seal", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_account_seal_seal", table_name="account_seal")
    op.drop_table("account_seal")
    op.drop_table("seal")
    op.drop_index("ix_request_first_seen", table_name="request")
