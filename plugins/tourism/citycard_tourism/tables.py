"""The tables of culture and leisure: slots, tickets, passes, what was paid and given back, visits, loans.

``serial`` is the number of a right as cards and records have it. ``step`` is what is under way at a card: it
is noted before the card is touched and done when the card was written, so that a break in between is
taken up again and nothing is done twice.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from citycard.store import NAMING_CONVENTION, Fen, LocalTime, SerialNumber

__all__ = [
    "counted_run",
    "loan",
    "metadata",
    "pass_",
    "payment",
    "reader",
    "refund",
    "right_act",
    "slot",
    "ticket",
    "visit",
]

metadata = MetaData(naming_convention=NAMING_CONVENTION)

slot = Table(
    "tourism_slot",
    metadata,
    Column("show", Integer, primary_key=True, autoincrement=False),
    Column("starts", LocalTime, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    CheckConstraint("taken >= 0 AND taken <= capacity", name="never_oversold"),
)

ticket = Table(
    "tourism_ticket",
    metadata,
    Column("serial", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("show", Integer, nullable=False),
    Column("starts", LocalTime, nullable=False),
    Column("people", SmallInteger, nullable=False),
    Column("rights", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("way", String(8), nullable=False),
    Column("price_fen", Fen, nullable=False),
    Column("points_fen", Fen, nullable=False),
    Column("scheme", String(32), nullable=False),
    Column("points", Integer, nullable=False),
    Column("held_until", LocalTime, nullable=False),
    Column("made_at", LocalTime, nullable=False),
    Column("used_at", LocalTime),
    Column("step", String(8), nullable=False),
    Column("step_id", Uuid),
    Column("step_to", LocalTime),
    CheckConstraint("state IN ('held', 'paid', 'card', 'used', 'returned', 'lapsed')", name="state"),
    CheckConstraint("way IN ('account', 'purse')", name="way"),
    sqlite_autoincrement=True,
)
Index("ix_tourism_ticket_held", ticket.c.state, ticket.c.held_until)

pass_ = Table(
    "tourism_pass",
    metadata,
    Column("serial", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("plan", Integer, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("state", String(9), nullable=False),
    Column("rights", Integer, nullable=False),
    Column("seller", Integer, nullable=False),
    Column("turn", SmallInteger, nullable=False),
    Column("frozen_on", Date),
    Column("frozen_days", Integer, nullable=False),
    Column("on_card", Boolean, nullable=False),
    Column("made_at", LocalTime, nullable=False),
    Column("step", String(8), nullable=False),
    Column("step_id", Uuid),
    CheckConstraint("state IN ('held', 'active', 'frozen', 'cancelled')", name="state"),
    sqlite_autoincrement=True,
)

right_act = Table(
    "tourism_act",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("right", String(6), nullable=False),
    Column("serial", Integer, nullable=False),
    Column("step", String(8), nullable=False),
    Column("to", LocalTime),
)

payment = Table(
    "tourism_payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("service", String(20), nullable=False),
    Column("serial", Integer, nullable=False),
    Column("turn", SmallInteger, nullable=False),
    Column("days", Integer, nullable=False),
    Column("way", String(8), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("partner", String(100), nullable=False),
    Column("onward", JSON, nullable=False),
    Column("at", LocalTime, nullable=False),
    CheckConstraint("amount_fen >= 0", name="amount"),
)
Index("ix_tourism_payment_right", payment.c.service, payment.c.serial)

refund = Table(
    "tourism_refund",
    metadata,
    Column("payment", Uuid, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("asn", String(20), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("reason", String(100), nullable=False),
    Column("state", String(5), nullable=False),
    Column("waits_for", String(300), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("given_at", LocalTime),
    CheckConstraint("state IN ('due', 'given')", name="state"),
    CheckConstraint("amount_fen > 0", name="amount"),
)

visit = Table(
    "tourism_visit",
    metadata,
    Column("record", String(40), primary_key=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("at", LocalTime, nullable=False),
    Column("venue", Integer, nullable=False),
    Column("right", SmallInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("people", SmallInteger, nullable=False),
)
Index("ix_tourism_visit_venue", visit.c.venue, visit.c.at)

# Clearing runs whose visits are kept.
counted_run = Table(
    "tourism_run",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
)

reader = Table(
    "tourism_reader",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("until", Date, nullable=False),
)

loan = Table(
    "tourism_loan",
    metadata,
    Column("serial", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("venue", Integer, nullable=False),
    Column("item", String(40), nullable=False),
    Column("lent_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("renewals", SmallInteger, nullable=False),
    Column("returned_on", Date),
    Column("days", Integer, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("paid", Boolean, nullable=False),
    Column("told_on", Date),
    sqlite_autoincrement=True,
)
# A book is out once.
Index(
    "uq_tourism_loan_item_out",
    loan.c.venue,
    loan.c.item,
    unique=True,
    sqlite_where=loan.c.returned_on.is_(None),
    postgresql_where=loan.c.returned_on.is_(None),
)
