"""Loads, orders that are paid online, and the agents who take money."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    and_,
    text,
)

from citycard.store.metadata import Fen, LocalTime, UtcTime, metadata

__all__ = ["agent_day", "auto_top_up", "load", "load_agent", "payment_nonce", "payment_order"]

# A load is written before its MAC2 leaves the house; while it is pending nobody knows whether the card
# took it. A card has at most one load per value of its online counter that was not reversed.
load = Table(
    "load",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False),
    Column("online_atc", Integer, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("balance_before_fen", Fen, nullable=False),
    Column("terminal", String(12), nullable=False),
    Column("agent", String(100), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("state", String(8), nullable=False),
    Column("proof", String(8), nullable=False),
    Column("mac1", String(8), nullable=False),
    Column("tac", String(8), nullable=False),
    Column("money", String(8), nullable=False, server_default=text("'none'")),
    Column("hold", Uuid),
    # The business day of the agent's statement that it stands in; empty until that day is closed.
    Column("closed_on", Date),
    CheckConstraint("money IN ('none', 'held', 'taken', 'returned', 'lost')", name="money"),
    CheckConstraint("proof IN ('', 'tac', 'counter', 'terminal')", name="proof"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("state IN ('pending', 'proven', 'reversed')", name="state"),
)
Index(
    "uq_load_asn_counter",
    load.c.asn,
    load.c.online_atc,
    unique=True,
    sqlite_where=load.c.state != "reversed",
    postgresql_where=load.c.state != "reversed",
)
# With all that clearing asks of a card's loads, as rows lie in the order of their ids: each on another page.
Index("ix_load_asn", load.c.asn, load.c.online_atc, load.c.state, load.c.amount_fen, load.c.at)
_held = and_(load.c.money == "held", load.c.proof == "")
Index("ix_load_held", load.c.at, sqlite_where=_held, postgresql_where=_held)
_unclosed = and_(load.c.state == "proven", load.c.closed_on.is_(None))
Index("ix_load_unclosed", load.c.agent, load.c.at, sqlite_where=_unclosed, postgresql_where=_unclosed)
_lost = load.c.money == "lost"
Index("ix_load_lost", load.c.at, sqlite_where=_lost, postgresql_where=_lost)

# An order that is paid online. ``account`` is empty when the money is for the card's purse; ``transaction``
# is the provider's own number; ``load`` the attempt that took the money, or reserves it now; ``look_at``
# when the provider is asked next, empty when there is nothing to ask.
payment_order = Table(
    "payment_order",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("asn", String(20), nullable=False, index=True),
    Column("account", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("agreement", String(64), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("pay_url", String(300), nullable=False),
    Column("transaction", String(64), nullable=False),
    Column("load", Uuid),
    Column("trouble", String(200), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("paid_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("look_at", UtcTime),
    Column("looks", Integer, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint(
        "state IN ('created', 'paid', 'delivered', 'refunding', 'refunded', 'closed')", name="state"
    ),
)
_looked_after = payment_order.c.look_at.is_not(None)
Index(
    "ix_payment_order_look_at",
    payment_order.c.look_at,
    sqlite_where=_looked_after,
    postgresql_where=_looked_after,
)

# Every signed message of a provider is taken once.
payment_nonce = Table(
    "payment_nonce",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("seen_at", UtcTime, nullable=False, index=True),
)

auto_top_up = Table(
    "auto_top_up",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("threshold_fen", Fen, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("daily_limit_fen", Fen, nullable=False),
    Column("source", String(100), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("set_at", UtcTime, nullable=False),
    CheckConstraint("threshold_fen > 0 AND amount_fen > 0 AND daily_limit_fen > 0", name="amounts"),
)

load_agent = Table(
    "load_agent",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("commission_bp", Integer, nullable=False),
    Column("credit_fen", Fen, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    CheckConstraint("commission_bp BETWEEN 0 AND 10000 AND credit_fen >= 0", name="terms"),
)

agent_day = Table(
    "agent_day",
    metadata,
    Column("agent", String(64), ForeignKey(load_agent.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("loads", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("commission_fen", Fen, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("closed_at", UtcTime, nullable=False),
)
