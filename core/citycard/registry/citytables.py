"""The tables of the other cities that take part, of what they agreed, and of the cards on their lists."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from citycard.registry.changes import change_table
from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, UtcTime, metadata

__all__ = [
    "city_fee",
    "city_issuer",
    "city_key",
    "city_list",
    "foreign_listing",
    "other_city",
    "other_city_change",
]

other_city = Table(
    "other_city",
    metadata,
    Column("code", String(4), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("name_zh", String(100), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("address", String(200), nullable=False),
    Column("account_name", String(100), nullable=False),
    Column("account_no", String(34), nullable=False),
    Column("bank_bic", String(11), nullable=False),
    CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="validity"),
)

other_city_change = change_table("other_city_change", "city", other_city.c.code)

city_issuer = Table(
    "city_issuer",
    metadata,
    Column("issuer", String(16), primary_key=True),
    Column("city", String(4), ForeignKey(other_city.c.code), nullable=False),
)
append_only(city_issuer)

# A city that changes its key sends the new one first; what was signed with the old one stays good.
city_key = Table(
    "city_key",
    metadata,
    Column("city", String(4), ForeignKey(other_city.c.code), primary_key=True),
    Column("public", String(64), primary_key=True),
    Column("pem", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
)
append_only(city_key)

# ``used`` says whose cards: "here" are theirs at our terminals, "there" ours at theirs. Service -1 is all.
city_fee = Table(
    "city_fee",
    metadata,
    Column("city", String(4), ForeignKey(other_city.c.code), primary_key=True),
    Column("used", String(5), primary_key=True),
    Column("service", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", Date, primary_key=True),
    Column("bp", Integer, nullable=False),
    Column("fixed_fen", Fen, nullable=False),
    CheckConstraint("used IN ('here', 'there')", name="used"),
    CheckConstraint("bp BETWEEN 0 AND 10000 AND fixed_fen >= 0", name="amounts"),
)
append_only(city_fee)

# Cards of other cities on our own numbered lists; they are not in our registry.
foreign_listing = Table(
    "foreign_listing",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("added_in", Integer, primary_key=True, autoincrement=False),
    Column("city", String(4), ForeignKey(other_city.c.code), nullable=False),
    Column("removed_in", Integer),
)
Index("ix_foreign_listing_city", foreign_listing.c.city)

# From list ``number`` on, the lists of one city hold list ``holds`` of the other; ``whose`` is "ours" or
# "theirs".
city_list = Table(
    "city_list",
    metadata,
    Column("city", String(4), ForeignKey(other_city.c.code), primary_key=True),
    Column("whose", String(6), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("holds", Integer, primary_key=True, autoincrement=False),
    CheckConstraint("whose IN ('ours', 'theirs')", name="whose"),
)
append_only(city_list)
