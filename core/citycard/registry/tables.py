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

from citycard.registry.changes import change_table
from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "blacklist",
    "blacklist_list",
    "card",
    "card_closing",
    "card_event",
    "card_status_change",
    "district",
    "entitlement",
    "holder",
    "holder_read",
    "number_range",
    "partner",
    "partner_change",
    "personalisation",
    "personalisation_job",
    "place",
    "plugin_settings",
    "product",
    "product_version",
    "sam",
    "sam_change",
    "sam_key",
    "stock_lot",
    "stock_move",
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

partner_change = change_table("partner_change", "partner", partner.c.id)

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

# A terminal has one SAM for ever: its number, and so its keys, go with it.
sam = Table(
    "sam",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("terminal", String(12), ForeignKey(terminal.c.number), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name="revoked"),
)

sam_key = Table(
    "sam_key",
    metadata,
    Column("sam", String(20), ForeignKey(sam.c.number), primary_key=True),
    Column("purpose", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("loaded_at", UtcTime, nullable=False),
)

sam_change = Table(
    "sam_change",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("sam", String(20), ForeignKey(sam.c.number), nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(sam_change)

product = Table(
    "product",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("kind", Integer, nullable=False),
    # The last day on which cards of it are made; cards that are out go on.
    Column("retired_on", Date),
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
    Column("actor", String(100), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
append_only(card_status_change)

# What was done to a card that did not change its status: enabled, renewed, loaded with a domain, paid out.
card_event = Table(
    "card_event",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("asn", String(20), ForeignKey(card.c.asn), nullable=False, index=True),
    Column("what", String(32), nullable=False),
    Column("detail", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(card_event)

# A card that is given up: what is on it is owed to its holder when its last taps have come in.
card_closing = Table(
    "card_closing",
    metadata,
    Column("asn", String(20), ForeignKey(card.c.asn), primary_key=True),
    Column("successor", String(20), ForeignKey(card.c.asn), unique=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owed_fen", Fen),
    CheckConstraint("state IN ('waiting', 'owed', 'settled')", name="state"),
    CheckConstraint("(state = 'waiting') = (owed_fen IS NULL)", name="owed"),
)

# Numbers from ``first`` on, ``size`` of them, of which ``taken`` were given to cards.
number_range = Table(
    "number_range",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("product", String(64), ForeignKey(product.c.name), nullable=False),
    Column("first", String(20), nullable=False),
    Column("size", Fen, nullable=False),
    Column("taken", Fen, nullable=False),
    Column("opened_on", Date, nullable=False),
    CheckConstraint("taken >= 0 AND taken <= size", name="taken"),
)

stock_lot = Table(
    "stock_lot",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("supplier", String(100), nullable=False),
    Column("size", Fen, nullable=False),
    Column("received_on", Date, nullable=False),
    CheckConstraint("size > 0", name="size"),
)

# Blank cards are counted like money: each move takes them from one place and puts them into another.
stock_move = Table(
    "stock_move",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lot", String(64), ForeignKey(stock_lot.c.name), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("cards", Fen, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("cards > 0", name="cards"),
    CheckConstraint("source <> target", name="two_places"),
)
append_only(stock_move)

personalisation_job = Table(
    "personalisation_job",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("product", String(64), nullable=False),
    Column("product_version", Integer, nullable=False),
    Column("range", String(64), ForeignKey(number_range.c.name), nullable=False),
    Column("lot", String(64), ForeignKey(stock_lot.c.name), nullable=False),
    Column("place", String(64), nullable=False),
    Column("wanted", Fen, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    CheckConstraint("wanted > 0", name="wanted"),
    ForeignKeyConstraint(
        ["product", "product_version"], [product_version.c.product, product_version.c.version]
    ),
)

# One row for each number a job took: a number has one row for ever.
personalisation = Table(
    "personalisation",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("job", Integer, ForeignKey(personalisation_job.c.number), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("worker", Uuid, nullable=False),
    Column("leased_until", UtcTime, nullable=False),
    Column("step", String(64), nullable=False),
    Column("status_word", String(4), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("state IN ('taken', 'made', 'spoiled')", name="state"),
)

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
    Column("settings", String(64)),
)
append_only(terminal_configuration)

# What city.toml said to the plugins while a configuration was in force, by its digest: taps are priced by it.
plugin_settings = Table(
    "plugin_settings",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("sections", JSON, nullable=False),
)
append_only(plugin_settings)
