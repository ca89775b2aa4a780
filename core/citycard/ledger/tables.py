"""The ledger's tables. The shapes follow TigerBeetle's model, so that it can stand in their place.

``balance`` repeats the guard of its account so that the database itself refuses what a guard forbids.
``request`` remembers the outcome of every id, failures too, and is kept for the life of the cards.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, LocalTime, UtcTime, metadata

__all__ = ["account", "balance", "ledger", "request", "transfer"]

# One row. Its counter orders postings as they are committed: whoever posts holds the row until the end
# of the transaction, so that a reader who has seen number n has seen every number below it.
ledger = Table(
    "ledger",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("currency", String(3), nullable=False),
    Column("scale", SmallInteger, nullable=False),
    Column("posted_seq", Fen, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("address", String(200), nullable=False, unique=True),
    Column("code", Integer, nullable=False, index=True),
    Column("side", String(1), nullable=False),
    Column("guard", String(6), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    CheckConstraint("side IN ('D', 'C')", name="side"),
    CheckConstraint("guard IN ('none', 'dr<=cr', 'cr<=dr')", name="guard"),
)
append_only(account)

balance = Table(
    "balance",
    metadata,
    Column("account_id", Uuid, ForeignKey(account.c.id), primary_key=True),
    Column("guard", String(6), nullable=False),
    Column("dr_posted_fen", Fen, nullable=False),
    Column("cr_posted_fen", Fen, nullable=False),
    Column("dr_pending_fen", Fen, nullable=False),
    Column("cr_pending_fen", Fen, nullable=False),
    CheckConstraint(
        "dr_posted_fen >= 0 AND cr_posted_fen >= 0 AND dr_pending_fen >= 0 AND cr_pending_fen >= 0",
        name="not_negative",
    ),
    # SQLite turns an integer that grows too large into a float; far below that, the database says no.
    CheckConstraint(
        "dr_posted_fen <= 4000000000000000000 AND cr_posted_fen <= 4000000000000000000", name="not_too_large"
    ),
    CheckConstraint(
        "guard <> 'dr<=cr' OR dr_posted_fen + dr_pending_fen <= cr_posted_fen", name="debits_within_credits"
    ),
    CheckConstraint(
        "guard <> 'cr<=dr' OR cr_posted_fen + cr_pending_fen <= dr_posted_fen", name="credits_within_debits"
    ),
)

transfer = Table(
    "transfer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dr_account", Uuid, ForeignKey(account.c.id), nullable=False, index=True),
    Column("cr_account", Uuid, ForeignKey(account.c.id), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("code", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("group_id", Uuid),
    Column("event_time", LocalTime, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("ref", String(200), nullable=False),
    Column("posted_seq", Fen, nullable=False, unique=True),
    Column("posted_at", UtcTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("dr_account <> cr_account", name="two_accounts"),
    CheckConstraint("kind IN ('single', 'pending', 'post', 'void', 'expire')", name="kind"),
)
append_only(transfer)

request = Table(
    "request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("result", String(40), nullable=False),
    Column("first_seen", UtcTime, nullable=False),
)
append_only(request)
