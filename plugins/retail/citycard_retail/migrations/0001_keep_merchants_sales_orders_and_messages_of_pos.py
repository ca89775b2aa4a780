# Over 400 lines because one revision makes all of these tables.
"""Keep merchants, sales, orders and messages of POS."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "retail_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retail_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("district", sa.String(length=64), nullable=False),
        sa.Column("account_name", sa.String(length=100), nullable=False),
        sa.Column("account_no", sa.String(length=34), nullable=False),
        sa.Column("bank_bic", sa.String(length=11), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("terminals", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("applied_by", sa.String(length=100), nullable=False),
        sa.Column("applied_at", sa.DateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_application")),
    )
    op.create_index(
        "ix_retail_application_state", "retail_application", ["state", "applied_at"], unique=False
    )
    op.create_table(
        "retail_basket",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("sku", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("asn", "sku", name=op.f("pk_retail_basket")),
    )
    op.create_table(
        "retail_correction",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("run", "partner", name=op.f("pk_retail_correction")),
    )
    op.create_table(
        "retail_merchant",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("partner", name=op.f("pk_retail_merchant")),
        sa.UniqueConstraint("number", name=op.f("uq_retail_merchant_number")),
    )
    op.create_table(
        "retail_message",
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("day", sa.String(length=8), nullable=False),
        sa.Column("stan", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("act", sa.Uuid(), nullable=False),
        sa.Column("rrn", sa.String(length=12), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("processing", sa.String(length=2), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("reversed", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=2), nullable=False),
        sa.Column("reply", sa.LargeBinary(length=2048), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("terminal", "day", "stan", name=op.f("pk_retail_message")),
    )
    op.create_index("ix_retail_message_batch", "retail_message", ["terminal", "batch"], unique=False)
    op.create_index("ix_retail_message_rrn", "retail_message", ["terminal", "rrn"], unique=False)
    op.create_table(
        "retail_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_order")),
    )
    op.create_index("ix_retail_order_asn", "retail_order", ["asn", "at"], unique=False)
    op.create_index("ix_retail_order_state", "retail_order", ["state", "at"], unique=False)
    op.create_table(
        "retail_pos_batch",
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("debits", sa.Integer(), nullable=False),
        sa.Column("debits_fen", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("credits_fen", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("terminal", "number", name=op.f("pk_retail_pos_batch")),
    )
    op.create_table(
        "retail_product",
        sa.Column("sku", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("on_sale", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_retail_product")),
    )
    op.create_table(
        "retail_progress",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_retail_progress")),
    )
    op.create_table(
        "retail_sale",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_sale")),
        sa.UniqueConstraint("purchase", name=op.f("uq_retail_sale_purchase")),
    )
    op.create_index("ix_retail_sale_asn", "retail_sale", ["asn", "at"], unique=False)
    op.create_index("ix_retail_sale_partner", "retail_sale", ["partner", "at"], unique=False)
    op.create_index("ix_retail_sale_state", "retail_sale", ["state", "at"], unique=False)
    op.create_table(
        "retail_void",
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_retail_void")),
    )
    op.create_index("ix_retail_void_state", "retail_void", ["state"], unique=False)
    op.create_table(
        "retail_merchant_tier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["retail_merchant.partner"],
            name=op.f("fk_retail_merchant_tier_partner_retail_merchant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_merchant_tier")),
        sa.UniqueConstraint("partner", "since", name=op.f("uq_retail_merchant_tier_partner_since")),
    )
    op.create_table(
        "retail_order_line",
        sa.Column("order", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order"], ["retail_order.id"], name=op.f("fk_retail_order_line_order_retail_order")
        ),
        sa.PrimaryKeyConstraint("order", "sku", name=op.f("pk_retail_order_line")),
    )
    op.create_table(
        "retail_order_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order"], ["retail_order.id"], name=op.f("fk_retail_order_return_order_retail_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_order_return")),
    )
    op.create_index("ix_retail_order_return_order", "retail_order_return", ["order"], unique=False)
    op.create_table(
        "retail_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("to", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["sale"], ["retail_sale.id"], name=op.f("fk_retail_refund_sale_retail_sale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_refund")),
    )
    op.create_index("ix_retail_refund_sale", "retail_refund", ["sale"], unique=False)
    op.create_index("ix_retail_refund_state", "retail_refund", ["state"], unique=False)
    op.create_table(
        "retail_terminal",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"], ["retail_merchant.partner"], name=op.f("fk_retail_terminal_partner_retail_merchant")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_retail_terminal")),
    )


def downgrade() -> None:
    op.drop_table("retail_terminal")
    op.drop_index("ix_retail_refund_state", table_name="retail_refund")
    op.drop_index("ix_retail_refund_sale", table_name="retail_refund")
    op.drop_table("retail_refund")
    op.drop_index("ix_retail_order_return_order", table_name="retail_order_return")
    op.drop_table("retail_order_return")
    op.drop_table("retail_order_line")
    op.drop_table("retail_merchant_tier")
    op.drop_index("ix_retail_void_state", table_name="retail_void")
    op.drop_table("retail_void")
    op.drop_index("ix_retail_sale_state", table_name="retail_sale")
    op.drop_index("ix_retail_sale_partner", table_name="retail_sale")
    op.drop_index("ix_retail_sale_asn", table_name="retail_sale")
    op.drop_table("retail_sale")
    op.drop_table("retail_progress")
    op.drop_table("retail_product")
    op.drop_table("retail_pos_batch")
    op.drop_index("ix_retail_order_state", table_name="retail_order")
    op.drop_index("ix_retail_order_asn", table_name="retail_order")
    op.drop_table("retail_order")
    op.drop_index("ix_retail_message_rrn", table_name="retail_message")
    op.drop_index("ix_retail_message_batch", table_name="retail_message")
    op.drop_table("retail_message")
    op.drop_table("retail_merchant")
    op.drop_table("retail_correction")
    op.drop_table("retail_basket")
    op.drop_index("ix_retail_application_state", table_name="retail_application")
    op.drop_table("retail_application")
