"""Add the stock of blank cards, number ranges, personalisation jobs, and what a card's life leaves behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0004"
down_revision = "citycard_0003"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("product", sa.Column("retired_on", sa.Date(), nullable=True))
    op.add_column(
        "card_status_change",
        sa.Column("actor", sa.String(length=100), nullable=False, server_default=""),
    )
    _add_life()
    _add_stock()
    _add_jobs()
    for table in ("card_event", "stock_move"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def _add_life() -> None:
    op.create_table(
        "card_event",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_card_event_asn_card")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_card_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_card_event_asn"), "card_event", ["asn"], unique=False)
    op.create_table(
        "card_closing",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("successor", sa.String(length=20), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'owed', 'settled')", name=op.f("ck_card_closing_state")),
        sa.CheckConstraint("(state = 'waiting') = (owed_fen IS NULL)", name=op.f("ck_card_closing_owed")),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_card_closing_asn_card")),
        sa.ForeignKeyConstraint(["successor"], ["card.asn"], name=op.f("fk_card_closing_successor_card")),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_card_closing")),
        sa.UniqueConstraint("successor", name=op.f("uq_card_closing_successor")),
    )


def _add_stock() -> None:
    op.create_table(
        "number_range",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("first", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= size", name=op.f("ck_number_range_taken")),
        sa.ForeignKeyConstraint(["product"], ["product.name"], name=op.f("fk_number_range_product_product")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_range")),
    )
    op.create_table(
        "stock_lot",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("supplier", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_stock_lot_size")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stock_lot")),
    )
    op.create_table(
        "stock_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("cards", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cards > 0", name=op.f("ck_stock_move_cards")),
        sa.CheckConstraint("source <> target", name=op.f("ck_stock_move_two_places")),
        sa.ForeignKeyConstraint(["lot"], ["stock_lot.name"], name=op.f("fk_stock_move_lot_stock_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
    )
    op.create_index(op.f("ix_stock_move_lot"), "stock_move", ["lot"], unique=False)


def _add_jobs() -> None:
    op.create_table(
        "personalisation_job",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("product_version", sa.Integer(), nullable=False),
        sa.Column("range", sa.String(length=64), nullable=False),
        sa.Column("lot", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("wanted > 0", name=op.f("ck_personalisation_job_wanted")),
        sa.ForeignKeyConstraint(
            ["range"], ["number_range.name"], name=op.f("fk_personalisation_job_range_number_range")
        ),
        sa.ForeignKeyConstraint(
            ["lot"], ["stock_lot.name"], name=op.f("fk_personalisation_job_lot_stock_lot")
        ),
        sa.ForeignKeyConstraint(
            ["product", "product_version"],
            ["product_version.product", "product_version.version"],
            name=op.f("fk_personalisation_job_product_product_version_product_version"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_personalisation_job")),
    )
    op.create_table(
        "personalisation",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.Uuid(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("status_word", sa.String(length=4), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('taken', 'made', 'spoiled')", name=op.f("ck_personalisation_state")),
        sa.ForeignKeyConstraint(
            ["job"], ["personalisation_job.number"], name=op.f("fk_personalisation_job_personalisation_job")
        ),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_personalisation")),
    )
    op.create_index(op.f("ix_personalisation_job"), "personalisation", ["job"], unique=False)


def downgrade() -> None:
    for table in (
        "personalisation",
        "personalisation_job",
        "stock_move",
        "stock_lot",
        "number_range",
        "card_closing",
        "card_event",
    ):
        op.drop_table(table)
    op.drop_column("card_status_change", "actor")
    op.drop_column("product", "retired_on")
