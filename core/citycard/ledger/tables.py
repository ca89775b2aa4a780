"""The ledger's tables. The shapes follow TigerBeetle's model, so that it can stand in their place.

``balance`` repeats the guard and currency of its account so that the database itself refuses what a guard
forbids. ``request`` remembers the outcome of every id, failures too, and is kept for the life of the cards.

``transfer`` is only ever appended to, in the order of its key, and has no index by account: each row names
the transfer before it of its debit and of its credit account, and ``balance`` names the newest. So writing
costs the same however many there are, and an account's history is read by walking back.
"""

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
    Text,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, LocalTime, SerialNumber, UtcTime, metadata

__all__ = [
    "account",
    "account_seal",
    "balance",
    "hold",
    "ledger",
    "limit_use",
    "request",
    "seal",
    "transfer",
]

# One row. Its counter orders postings as they are committed: whoever posts holds the row until the end
# of the transaction, so that a reader who has seen number n has seen every number below it. Posting times
# never go back. No open hold expires before ``next_expiry``.
ledger = Table(
    "ledger",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("currency", String(3), nullable=False),
    Column("scale", SmallInteger, nullable=False),
    Column("posted_seq", Fen, nullable=False),
    Column("posted_at", UtcTime),
    Column("next_expiry", UtcTime),
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
    Column("currency", String(3), nullable=False, server_default="CNY"),
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
    Column("currency", String(3), nullable=False, server_default="CNY"),
    Column("last_seq", Fen, nullable=False, server_default="0"),
    Column("transfers", Fen, nullable=False, server_default="0"),
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
    # Every posting changes two rows: with room on the page they stay where the index points.
    postgresql_with={"fillfactor": 50},
)

transfer = Table(
    "transfer",
    metadata,
    Column("posted_seq", SerialNumber, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("dr_account", Uuid, nullable=False),
    Column("cr_account", Uuid, nullable=False),
    Column("dr_before", Fen, nullable=False),
    Column("cr_before", Fen, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("code", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("group_id", Uuid),
    Column("pending_id", Uuid),
    Column("expires_at", UtcTime),
    Column("reverses", Uuid),
    Column("event_time", LocalTime, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("ref", String(200), nullable=False),
    Column("posted_at", UtcTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("dr_account <> cr_account", name="two_accounts"),
    CheckConstraint("kind IN ('single', 'pending', 'post', 'void', 'expire')", name="kind"),
    CheckConstraint("dr_before < posted_seq AND cr_before < posted_seq", name="before"),
)
append_only(transfer)
Index(
    "ix_transfer_reverses",
    transfer.c.reverses,
    sqlite_where=transfer.c.reverses.is_not(None),
    postgresql_where=transfer.c.reverses.is_not(None),
)

request = Table(
    "request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("result", String(40), nullable=False),
    Column("posted_seq", Fen),
    Column("first_seen", UtcTime, nullable=False),
    CheckConstraint("(result = 'posted') = (posted_seq IS NOT NULL)", name="posted"),
    sqlite_with_rowid=False,
)
append_only(request)
# What was refused has no number: seals find it by its time.
Index(
    "ix_request_first_seen",
    request.c.first_seen,
    sqlite_where=request.c.posted_seq.is_(None),
    postgresql_where=request.c.posted_seq.is_(None),
)

hold = Table(
    "hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("posted_seq", Fen, nullable=False),
    Column("dr_account", Uuid, nullable=False),
    Column("cr_account", Uuid, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("expires_at", UtcTime),
    Column("limits", JSON, nullable=False),
    Column("state", String(8), nullable=False),
    CheckConstraint("state IN ('pending', 'posted', 'voided', 'expired')", name="state"),
)
Index(
    "ix_hold_expires_at",
    hold.c.expires_at,
    sqlite_where=hold.c.state == "pending",
    postgresql_where=hold.c.state == "pending",
)

limit_use = Table(
    "limit_use",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("used_fen", Fen, nullable=False),
    Column("used_count", Fen, nullable=False),
    CheckConstraint("used_fen >= 0 AND used_count >= 0", name="not_negative"),
)

# A seal covers the transfers of its numbers, the refusals from the seal before until ``refused_until``, and
# the accounts that ``account_seal`` gives it.
seal = Table(
    "seal",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=False),
    Column("first_posted_seq", Fen, nullable=False),
    Column("last_posted_seq", Fen, nullable=False),
    Column("refused_until", UtcTime, nullable=False),
    Column("accounts", Integer, nullable=False),
    Column("transfers", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("accounts_root", LargeBinary(32), nullable=False),
    Column("transfers_root", LargeBinary(32), nullable=False),
    Column("refusals_root", LargeBinary(32), nullable=False),
    Column("sums", Text, nullable=False),
    Column("prev_hash", LargeBinary(32), nullable=False),
    Column("sealed_at", UtcTime, nullable=False),
    Column("key_id", String(60), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    CheckConstraint("last_posted_seq = first_posted_seq + transfers - 1", name="span"),
)
append_only(seal)

# Accounts are opened by many at once and in no order, so that each says itself which seal covers it; none
# while it waits for the next one.
account_seal = Table(
    "account_seal",
    metadata,
    Column("account_id", Uuid, ForeignKey(account.c.id), primary_key=True),
    Column("seal", Fen),
)
Index("ix_account_seal_seal", account_seal.c.seal, account_seal.c.account_id)
