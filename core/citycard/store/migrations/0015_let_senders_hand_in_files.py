"""Let senders hand in files: senders, their files and uploads, and files that came late and were released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0015"
down_revision = "citycard_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch_file", sa.Column("sender", sa.String(length=32), server_default="", nullable=False))
    op.create_table(
        "sender",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.String(length=400), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name=op.f("fk_sender_partner_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender")),
    )
    _create_sent_files()
    op.create_table(
        "clearing_late_release",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_clearing_late_release")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cover", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["sender"], ["sender.id"], name=op.f("fk_upload_sender_sender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_begun_at"), "upload", ["begun_at"], unique=False)
    for table in ("clearing_sent_file", "clearing_late_release"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def _create_sent_files() -> None:
    op.create_table(
        "clearing_sent_file",
        sa.Column("intake", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("sender", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("archive", sa.String(length=200), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('accepted', 'duplicate', 'quarantined')", name=op.f("ck_clearing_sent_file_state")
        ),
        sa.PrimaryKeyConstraint("intake", "position", name=op.f("pk_clearing_sent_file")),
    )
    op.create_index(
        "uq_clearing_sent_file_accepted",
        "clearing_sent_file",
        ["sender", "number"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_upload_begun_at"), table_name="upload")
    op.drop_table("upload")
    op.drop_table("clearing_late_release")
    op.drop_index("uq_clearing_sent_file_accepted", table_name="clearing_sent_file")
    op.drop_table("clearing_sent_file")
    op.drop_table("sender")
    op.drop_column("batch_file", "sender")
