"""Add the exchange with other cities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0013"
down_revision = "citycard_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_file",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("way", sa.String(length=3), nullable=False),
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=True),
        sa.Column("list", sa.Integer(), nullable=True),
        sa.Column("intake", sa.Integer(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('accepted', 'duplicate', 'quarantined')", name=op.f("ck_exchange_file_state")
        ),
        sa.CheckConstraint("way IN ('in', 'out')", name=op.f("ck_exchange_file_way")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_exchange_file")),
    )
    op.create_index(
        "uq_exchange_file_accepted",
        "exchange_file",
        ["way", "city", "kind", "number"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "exchange_record",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("file", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("service", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("city", "file", "line", name=op.f("pk_exchange_record")),
        sa.UniqueConstraint("record", name=op.f("uq_exchange_record_record")),
    )
    op.create_index(op.f("ix_exchange_record_asn"), "exchange_record", ["asn"], unique=False)
    op.create_table(
        "exchange_settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_settlement")),
    )
    op.create_index(op.f("ix_exchange_settlement_city"), "exchange_settlement", ["city"], unique=False)
    op.create_table(
        "other_city",
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_zh", sa.String(length=100), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("account_name", sa.String(length=100), nullable=False),
        sa.Column("account_no", sa.String(length=34), nullable=False),
        sa.Column("bank_bic", sa.String(length=11), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_other_city_validity")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_other_city")),
    )
    op.create_table(
        "city_fee",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("used", sa.String(length=5), nullable=False),
        sa.Column("service", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("bp", sa.Integer(), nullable=False),
        sa.Column("fixed_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used IN ('here', 'there')", name=op.f("ck_city_fee_used")),
        sa.CheckConstraint("bp BETWEEN 0 AND 10000 AND fixed_fen >= 0", name=op.f("ck_city_fee_amounts")),
        sa.ForeignKeyConstraint(["city"], ["other_city.code"], name=op.f("fk_city_fee_city_other_city")),
        sa.PrimaryKeyConstraint("city", "used", "service", "valid_from", name=op.f("pk_city_fee")),
    )
    op.create_table(
        "city_issuer",
        sa.Column("issuer", sa.String(length=16), nullable=False),
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(["city"], ["other_city.code"], name=op.f("fk_city_issuer_city_other_city")),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_city_issuer")),
    )
    op.create_table(
        "city_key",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("public", sa.String(length=64), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city"], ["other_city.code"], name=op.f("fk_city_key_city_other_city")),
        sa.PrimaryKeyConstraint("city", "public", name=op.f("pk_city_key")),
    )
    op.create_table(
        "city_list",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("whose", sa.String(length=6), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holds", sa.Integer(), autoincrement=False, nullable=False),
        sa.CheckConstraint("whose IN ('ours', 'theirs')", name=op.f("ck_city_list_whose")),
        sa.ForeignKeyConstraint(["city"], ["other_city.code"], name=op.f("fk_city_list_city_other_city")),
        sa.PrimaryKeyConstraint("city", "whose", "number", "holds", name=op.f("pk_city_list")),
    )
    op.create_table(
        "exchange_answer",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("file", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('accepted', 'rejected', 'suspended', 'duplicate')",
            name=op.f("ck_exchange_answer_state"),
        ),
        sa.ForeignKeyConstraint(
            ["city", "file", "line"],
            ["exchange_record.city", "exchange_record.file", "exchange_record.line"],
            name=op.f("fk_exchange_answer_city_file_line_exchange_record"),
        ),
        sa.PrimaryKeyConstraint("city", "file", "line", "answer", name=op.f("pk_exchange_answer")),
    )
    op.create_index(
        "uq_exchange_answer_final",
        "exchange_answer",
        ["city", "file", "line"],
        unique=True,
        sqlite_where=sa.text("state != 'suspended'"),
        postgresql_where=sa.text("state != 'suspended'"),
    )
    op.create_table(
        "exchange_settled",
        sa.Column("way", sa.String(length=3), nullable=False),
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settlement", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["settlement"],
            ["exchange_settlement.id"],
            name=op.f("fk_exchange_settled_settlement_exchange_settlement"),
        ),
        sa.PrimaryKeyConstraint("way", "city", "number", name=op.f("pk_exchange_settled")),
    )
    op.create_table(
        "foreign_listing",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("added_in", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.Column("removed_in", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city"], ["other_city.code"], name=op.f("fk_foreign_listing_city_other_city")
        ),
        sa.PrimaryKeyConstraint("asn", "added_in", name=op.f("pk_foreign_listing")),
    )
    op.create_index("ix_foreign_listing_city", "foreign_listing", ["city"], unique=False)
    for table in (
        "city_fee",
        "city_issuer",
        "city_key",
        "city_list",
        "exchange_answer",
        "exchange_file",
        "exchange_record",
        "exchange_settled",
        "exchange_settlement",
    ):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_foreign_listing_city", table_name="foreign_listing")
    op.drop_table("foreign_listing")
    op.drop_table("exchange_settled")
    op.drop_index(
        "uq_exchange_answer_final",
        table_name="exchange_answer",
        sqlite_where=sa.text("state != 'suspended'"),
        postgresql_where=sa.text("state != 'suspended'"),
    )
    op.drop_table("exchange_answer")
    op.drop_table("city_list")
    op.drop_table("city_key")
    op.drop_table("city_issuer")
    op.drop_table("city_fee")
    op.drop_table("other_city")
    op.drop_index(op.f("ix_exchange_settlement_city"), table_name="exchange_settlement")
    op.drop_table("exchange_settlement")
    op.drop_index(op.f("ix_exchange_record_asn"), table_name="exchange_record")
    op.drop_table("exchange_record")
    op.drop_index(
        "uq_exchange_file_accepted",
        table_name="exchange_file",
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.drop_table("exchange_file")
