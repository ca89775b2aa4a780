"""The tables of retail: merchants and tiers, sales, what came back, the supermarket, messages of POS."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from citycard.kernel.data import Schema
from citycard.store import NAMING_CONVENTION, Fen, LocalTime

__all__ = [
    "SCHEMA",
    "application",
    "basket",
    "correction",
    "merchant",
    "merchant_tier",
    "message",
    "order",
    "order_line",
    "order_return",
    "pos_batch",
    "product",
    "progress",
    "refund",
    "sale",
    "tables",
    "terminal",
    "void",
]

tables = MetaData(naming_convention=NAMING_CONVENTION)

#: ``contact`` is sealed: whom the city calls about it.
application = Table(
    "retail_application",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("partner", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("category", String(20), nullable=False),
    Column("tier", String(20), nullable=False),
    Column("district", String(64), nullable=False),
    Column("account_name", String(100), nullable=False),
    Column("account_no", String(34), nullable=False),
    Column("bank_bic", String(11), nullable=False),
    Column("contact", Text, nullable=False),
    Column("terminals", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("applied_by", String(100), nullable=False),
    Column("applied_at", LocalTime, nullable=False),
    Column("decided_by", String(100), nullable=False),
    Column("decided_at", LocalTime),
    Column("reason", String(200), nullable=False),
)
Index("ix_retail_application_state", application.c.state, application.c.applied_at)

#: ``number`` is the merchant's own, counted from 1; with city and category it is what POS send in field 42.
merchant = Table(
    "retail_merchant",
    tables,
    Column("partner", String(64), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("category", String(20), nullable=False),
    Column("since", LocalTime, nullable=False),
)

merchant_tier = Table(
    "retail_merchant_tier",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("partner", String(64), ForeignKey("retail_merchant.partner"), nullable=False),
    Column("tier", String(20), nullable=False),
    Column("since", LocalTime, nullable=False),
    Column("asked_by", String(100), nullable=False),
    Column("approved_by", String(100), nullable=False),
    UniqueConstraint("partner", "since"),
)

terminal = Table(
    "retail_terminal",
    tables,
    Column("number", String(12), primary_key=True),
    Column("partner", String(64), ForeignKey("retail_merchant.partner"), nullable=False),
)

#: ``purchase`` names it for the core: the id of a payment, or of a till's record. ``state`` is begun until
#: the account paid, then paid or refused.
sale = Table(
    "retail_sale",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("purchase", String(40), nullable=False, unique=True),
    Column("channel", String(8), nullable=False),
    Column("service", String(20), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("asn", String(20), nullable=False),
    Column("tier", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False),
    Column("returned_fee_fen", Fen, nullable=False),
    Column("note", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", LocalTime, nullable=False),
)
Index("ix_retail_sale_asn", sale.c.asn, sale.c.at)
Index("ix_retail_sale_partner", sale.c.partner, sale.c.at)
Index("ix_retail_sale_state", sale.c.state, sale.c.at)

refund = Table(
    "retail_refund",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("sale", Uuid, ForeignKey("retail_sale.id"), nullable=False),
    Column("kind", String(6), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("to", String(8), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("approved_by", String(100), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", LocalTime, nullable=False),
)
Index("ix_retail_refund_sale", refund.c.sale)
Index("ix_retail_refund_state", refund.c.state)

#: What a merchant paid too much (below zero) or too little of fees by its till's tier, found after a run.
correction = Table(
    "retail_correction",
    tables,
    Column("run", Integer, primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("fee_fen", Fen, nullable=False),
    Column("records", Integer, nullable=False),
    Column("at", LocalTime, nullable=False),
)

#: A till's void, which is done when its sale was cleared.
void = Table(
    "retail_void",
    tables,
    Column("record", String(40), primary_key=True),
    Column("run", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", String(200), nullable=False),
)
Index("ix_retail_void_state", void.c.state)

#: How far retail has looked at the runs of clearing; one row.
progress = Table(
    "retail_progress",
    tables,
    Column("name", String(20), primary_key=True),
    Column("run", Integer, nullable=False),
)

product = Table(
    "retail_product",
    tables,
    Column("sku", String(20), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("price_fen", Fen, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("on_sale", Integer, nullable=False),
)

basket = Table(
    "retail_basket",
    tables,
    Column("asn", String(20), primary_key=True),
    Column("sku", String(20), primary_key=True),
    Column("quantity", Integer, nullable=False),
)

#: ``address`` is sealed. ``total_fen`` is what was asked, ``paid_fen`` what was paid after reductions.
order = Table(
    "retail_order",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False),
    Column("total_fen", Fen, nullable=False),
    Column("paid_fen", Fen, nullable=False),
    Column("state", String(10), nullable=False),
    Column("address", Text, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("changed_at", LocalTime, nullable=False),
)
Index("ix_retail_order_asn", order.c.asn, order.c.at)
Index("ix_retail_order_state", order.c.state, order.c.at)

order_line = Table(
    "retail_order_line",
    tables,
    Column("order", Uuid, ForeignKey("retail_order.id"), primary_key=True),
    Column("sku", String(20), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("price_fen", Fen, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
)

order_return = Table(
    "retail_order_return",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("order", Uuid, ForeignKey("retail_order.id"), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("lines", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", LocalTime, nullable=False),
)
Index("ix_retail_order_return_order", order_return.c.order)

#: A message of a POS: at most one of a terminal's day has a STAN. ``reply`` is empty while it is worked on.
message = Table(
    "retail_message",
    tables,
    Column("terminal", String(12), primary_key=True),
    Column("day", String(8), primary_key=True),
    Column("stan", String(6), primary_key=True),
    Column("kind", String(4), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("act", Uuid, nullable=False),
    Column("rrn", String(12), nullable=False),
    Column("account", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("processing", String(2), nullable=False),
    Column("batch", Integer, nullable=False),
    Column("reversed", Integer, nullable=False),
    Column("code", String(2), nullable=False),
    Column("reply", LargeBinary(2048), nullable=False),
    Column("at", LocalTime, nullable=False),
    Index("ix_retail_message_rrn", "terminal", "rrn"),
    Index("ix_retail_message_batch", "terminal", "batch"),
)
Index(
    "ix_retail_message_reversed",
    message.c.act,
    sqlite_where=message.c.reversed == 1,
    postgresql_where=message.c.reversed == 1,
)

pos_batch = Table(
    "retail_pos_batch",
    tables,
    Column("terminal", String(12), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("debits", Integer, nullable=False),
    Column("debits_fen", Fen, nullable=False),
    Column("credits", Integer, nullable=False),
    Column("credits_fen", Fen, nullable=False),
    Column("closed_at", LocalTime, nullable=False),
)

SCHEMA = Schema(metadata=tables, migrations=Path(__file__).parent / "migrations")
