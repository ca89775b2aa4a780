"""The registry's tables."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "blacklist",
    "blacklist_list",
    "card",
    "card_status_change",
    "district",
    "entitlement",
    "holder",
    "holder_read",
    "partner",
    "place",
    "product",
    "product_version",
    "terminal",
    "terminal_configuration",
]

district = Table(
    "district",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("name_zh", String(100), nullable=False),
)

partner = Table(
    "partner",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("account_name", String(100), nullable=False),
    Column("account_no", String(34), nullable=False),
    Column("bank_bic", String(11), nullable=False),
    Column("district", String(64), ForeignKey(district.c.id)),
    Column("status", String(16), nullable=False),
)

place = Table(
    "place",
    metadata,
    Column("code", Fen, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("line", String(100), nullable=False),
    Column("partner", String(64), ForeignKey(partner.c.id)),
)

terminal = Table(
    "terminal",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("partner", String(64), ForeignKey(partner.c.id), nullable=False, index=True),
    Column("place", Fen, ForeignKey(place.c.code), index=True),
    Column("opened_on", Date, nullable=False),
    Column("status", String(16), nullable=False),
)

product = Table(
    "product",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("kind", Integer, nullable=False),
)

product_version = Table(
    "product_version",
    metadata,
    Column("product", String(64), ForeignKey(product.c.name), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("layout", Text, nullable=False),
    Column("created_on", Date),
)
append_only(product_version)

# Personal data is sealed; without the vault's key these rows say nothing about anybody.
holder = Table(
    "holder",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("id_number_sealed", LargeBinary, nullable=False),
)

holder_read = Table(
    "holder_read",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("holder", Uuid, nullable=False, index=True),
    Column("reader", String(100), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(holder_read)

card = Table(
    "card",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("issuer", String(16), nullable=False),
    Column("product", String(64), nullable=False),
    Column("product_version", Integer, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("holder", Uuid, ForeignKey(holder.c.id)),
    Column("status", String(16), nullable=False),
    ForeignKeyConstraint(
        ["product", "product_version"], [product_version.c.product, product_version.c.version]
    ),
)
Index("ix_card_holder", card.c.holder)

card_status_change = Table(
    "card_status_change",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("asn", String(20), ForeignKey(card.c.asn), nullable=False, index=True),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(card_status_change)

entitlement = Table(
    "entitlement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("asn", String(20), ForeignKey(card.c.asn), index=True),
    Column("holder", Uuid, ForeignKey(holder.c.id), index=True),
    CheckConstraint("(asn IS NULL) <> (holder IS NULL)", name="one_subject"),
)

# Lists are numbered; terminals write into each record the number of the list they held.
blacklist_list = Table(
    "blacklist_list",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("published_at", UtcTime, nullable=False),
)

blacklist = Table(
    "blacklist",
    metadata,
    Column("asn", String(20), ForeignKey(card.c.asn), primary_key=True),
    Column("added_in", Integer, primary_key=True, autoincrement=False),
    Column("removed_in", Integer),
    Column("reason", String(200), nullable=False),
)

# What terminals must know to work offline, by number; they write the number they hold into every record.
terminal_configuration = Table(
    "terminal_configuration",
    metadata,
    Column("number", Fen, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("published_at", UtcTime, nullable=False),
)
append_only(terminal_configuration)
