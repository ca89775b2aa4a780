"""Money that goes out again, and the sums of the float that are kept on the way."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Uuid

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "chargeback",
    "chargeback_step",
    "float_checkpoint",
    "float_sum",
    "purchase_refund",
    "purchase_refund_part",
]

# Sums of all transfers up to a number, so that the float of any later moment reads only what came after.
float_checkpoint = Table(
    "float_checkpoint",
    metadata,
    Column("number", Fen, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("number > 0", name="number"),
)
append_only(float_checkpoint)

float_sum = Table(
    "float_sum",
    metadata,
    Column("number", Fen, ForeignKey(float_checkpoint.c.number), primary_key=True),
    Column("account_code", Integer, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("debits_fen", Fen, nullable=False),
    Column("credits_fen", Fen, nullable=False),
)
append_only(float_sum)

# Money of a purchase that went back. ``purchase`` is the id of a cleared record, or of a transfer.
purchase_refund = Table(
    "purchase_refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purchase", String(64), nullable=False, index=True),
    Column("owner", String(20), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("destination", String(8), nullable=False),
    Column("target", String(200), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("approved_by", String(100), nullable=False),
    Column("evidence", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("destination IN ('account', 'bank', 'cash', 'purse')", name="destination"),
)
append_only(purchase_refund)

# What each partner gave back of it, and the transfer that took it.
purchase_refund_part = Table(
    "purchase_refund_part",
    metadata,
    Column("refund", Uuid, ForeignKey(purchase_refund.c.id), primary_key=True),
    Column("partner", String(100), primary_key=True),
    Column("amount_fen", Fen, nullable=False),
    Column("transfer", Uuid, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(purchase_refund_part)

# A top-up that the bank or a provider takes back. What became of it stands in its steps.
chargeback = Table(
    "chargeback",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("topup", Uuid, nullable=False, index=True),
    Column("owner", String(20), nullable=False, index=True),
    Column("account", String(200), nullable=False),
    Column("taken_from", String(200), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("held_fen", Fen, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("deadline", Date, nullable=False),
    CheckConstraint("amount_fen > 0 AND held_fen BETWEEN 0 AND amount_fen", name="amounts"),
)
append_only(chargeback)

chargeback_step = Table(
    "chargeback_step",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("case", Uuid, ForeignKey(chargeback.c.id), nullable=False),
    Column("state", String(8), nullable=False),
    Column("evidence", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("state IN ('open', 'accepted', 'disputed', 'won', 'lost')", name="state"),
    sqlite_autoincrement=True,
)
# A case takes each step once.
Index("uq_chargeback_step_case", chargeback_step.c.case, chargeback_step.c.state, unique=True)
append_only(chargeback_step)
