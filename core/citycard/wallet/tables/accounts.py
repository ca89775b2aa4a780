"""The kinds of money beside the purse: accounts and their payments, subsidies, points."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, LocalTime, UtcTime, metadata

__all__ = [
    "account_hold",
    "account_limit",
    "online_account",
    "payment",
    "payment_part",
    "payment_refund",
    "points_acceptance",
    "points_act",
    "points_lot",
    "points_rate",
    "points_scheme",
    "subsidy_funding",
    "subsidy_grant",
    "subsidy_lapse",
    "subsidy_programme",
    "wallet_act",
]

# One row for everything that was asked for under an id that its client made, refusals too: asked again, it
# gets the same answer. ``digest`` stands for what was asked, ``asked`` says it to people, and ``refusal`` is
# the error that was the answer.
wallet_act = Table(
    "wallet_act",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("number", String(20), nullable=False, index=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("asked", JSON(none_as_null=True)),
    Column("refusal", JSON),
    Column("at", UtcTime, nullable=False),
)
append_only(wallet_act)

# ``number`` is that of the card it was opened for and never changes; ``asn`` is the card it hangs on now.
online_account = Table(
    "online_account",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("asn", String(20), nullable=False, unique=True),
    Column("status", String(8), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    CheckConstraint("status IN ('open', 'frozen', 'closed')", name="status"),
)

# The limits that an owner set for the own account; the city's stand in city.toml.
account_limit = Table(
    "account_limit",
    metadata,
    Column("number", String(20), ForeignKey(online_account.c.number), primary_key=True),
    Column("act", String(8), primary_key=True),
    Column("rule", JSON, nullable=False),
    CheckConstraint("act IN ('pay', 'hold', 'top-up')", name="act"),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", String(20), ForeignKey(online_account.c.number), nullable=False, index=True),
    Column("partner", String(64), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("hold", Uuid),
    Column("note", String(100), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("service", String(64), nullable=False, server_default=""),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(payment)

# What a payment was made of. ``programme`` is empty for the account's own money.
payment_part = Table(
    "payment_part",
    metadata,
    Column("payment", Uuid, ForeignKey(payment.c.id), primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("programme", String(64), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False),
    Column("transfer", Uuid, nullable=False),
    CheckConstraint("amount_fen > 0 AND returned_fen BETWEEN 0 AND amount_fen", name="amounts"),
)

payment_refund = Table(
    "payment_refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("payment", Uuid, ForeignKey(payment.c.id), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("note", String(100), nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(payment_refund)

# Whether a hold is still open, the ledger knows: ``id`` is that of its pending transfer.
account_hold = Table(
    "account_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", String(20), ForeignKey(online_account.c.number), nullable=False, index=True),
    Column("partner", String(64), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("note", String(100), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(account_hold)

subsidy_programme = Table(
    "subsidy_programme",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("funder", String(100), nullable=False),
    Column("partners", JSON, nullable=False),
    Column("partner_kinds", JSON, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    CheckConstraint("starts_on <= ends_on", name="days"),
)

subsidy_funding = Table(
    "subsidy_funding",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("programme", String(64), ForeignKey(subsidy_programme.c.id), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(subsidy_funding)

subsidy_grant = Table(
    "subsidy_grant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("programme", String(64), ForeignKey(subsidy_programme.c.id), nullable=False, index=True),
    Column("number", String(20), ForeignKey(online_account.c.number), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("batch", String(64), nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(subsidy_grant)

# What went back to a programme's fund without being spent, and why.
subsidy_lapse = Table(
    "subsidy_lapse",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("programme", String(64), ForeignKey(subsidy_programme.c.id), nullable=False, index=True),
    Column("number", String(20), ForeignKey(online_account.c.number), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("reason IN ('expired', 'closed', 'given back')", name="reason"),
)
append_only(subsidy_lapse)

# A scheme has the id of the partner whose points these are, and who pays for them.
points_scheme = Table(
    "points_scheme",
    metadata,
    Column("partner", String(64), primary_key=True),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("points_per_yuan", Integer, nullable=False),
    Column("rate_fen", Fen, nullable=False),
    Column("valid_days", Integer, nullable=False),
    CheckConstraint("points_per_yuan > 0 AND rate_fen > 0 AND valid_days > 0", name="positive"),
)

points_acceptance = Table(
    "points_acceptance",
    metadata,
    Column("scheme", String(64), ForeignKey(points_scheme.c.partner), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("fen_per_point", Fen, nullable=False),
    CheckConstraint("fen_per_point > 0", name="positive"),
)

points_rate = Table(
    "points_rate",
    metadata,
    Column("source", String(64), ForeignKey(points_scheme.c.partner), primary_key=True),
    Column("target", String(64), ForeignKey(points_scheme.c.partner), primary_key=True),
    Column("give", Integer, nullable=False),
    Column("get", Integer, nullable=False),
    CheckConstraint("give > 0 AND get > 0 AND source <> target", name="positive"),
)

points_lot = Table(
    "points_lot",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", String(20), ForeignKey(online_account.c.number), nullable=False, index=True),
    Column("scheme", String(64), ForeignKey(points_scheme.c.partner), nullable=False, index=True),
    Column("points", Fen, nullable=False),
    Column("unused", Fen, nullable=False),
    Column("rate_fen", Fen, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("earned_at", LocalTime, nullable=False),
    CheckConstraint("points > 0 AND unused BETWEEN 0 AND points", name="points"),
)
Index(
    "ix_points_lot_expires_on",
    points_lot.c.expires_on,
    sqlite_where=points_lot.c.unused > 0,
    postgresql_where=points_lot.c.unused > 0,
)

# What happened to points: a row for each lot that an act touched; ``points`` below zero were taken.
points_act = Table(
    "points_act",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lot", Uuid, ForeignKey(points_lot.c.id), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("points", Fen, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("kind IN ('earn', 'use', 'exchange', 'lapse')", name="kind"),
    CheckConstraint("points <> 0 AND amount_fen >= 0", name="amounts"),
)
append_only(points_act)
