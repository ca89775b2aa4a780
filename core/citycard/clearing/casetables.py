"""The tables of what happens after a run: decisions about records, disputes, and the money they move.

A decision is written once. What it moves stands in ``clearing_adjustment`` and is posted by the next run,
which names it in ``clearing_adjusted``: the id of an adjustment is that of its transfer.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from citycard.clearing.tables import clearing_run
from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "clearing_adjusted",
    "clearing_adjustment",
    "clearing_case_step",
    "clearing_decision",
    "clearing_dispute",
    "clearing_dispute_decision",
    "clearing_dispute_evidence",
    "clearing_settled",
]

# ``about`` is the id of a record that is an exception, or of a dispute.
clearing_case_step = Table(
    "clearing_case_step",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("about", String(40), nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(clearing_case_step)

clearing_decision = Table(
    "clearing_decision",
    metadata,
    Column("record", String(40), primary_key=True),
    Column("run", Integer, ForeignKey(clearing_run.c.number), nullable=False, index=True),
    Column("how", String(8), nullable=False),
    Column("bearer", String(8), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("reason", String(300), nullable=False),
    Column("evidence", String(200), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("proposed_by", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("how IN ('accepted', 'rejected', 'left')", name="how"),
    CheckConstraint("(how = 'accepted') = (bearer <> '')", name="bearer"),
)
append_only(clearing_decision)

# ``about`` is the id of a record or a position of a statement, ``cause`` the record or the dispute decided.
clearing_adjustment = Table(
    "clearing_adjustment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(3), nullable=False),
    Column("about", String(64), nullable=False, index=True),
    Column("cause", String(40), nullable=False, index=True),
    Column("debit", String(200), nullable=False),
    Column("credit", String(200), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("reason", String(300), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(clearing_adjustment)

clearing_adjusted = Table(
    "clearing_adjusted",
    metadata,
    Column("adjustment", Uuid, ForeignKey(clearing_adjustment.c.id), primary_key=True),
    Column("run", Integer, ForeignKey(clearing_run.c.number), nullable=False, index=True),
)
append_only(clearing_adjusted)

# ``partner`` is empty where a holder disputes: then the record says who got the money.
clearing_dispute = Table(
    "clearing_dispute",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("party", String(8), nullable=False),
    Column("partner", String(100), nullable=False),
    Column("about", String(64), nullable=False, index=True),
    Column("run", Integer, ForeignKey(clearing_run.c.number), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("reason", String(300), nullable=False),
    Column("opened_by", String(100), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("evidence_until", Date, nullable=False),
    Column("decide_until", Date, nullable=False, index=True),
    UniqueConstraint("party", "partner", "about"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("party IN ('partner', 'holder')", name="party"),
    CheckConstraint("(party = 'partner') = (partner <> '')", name="partner"),
)
append_only(clearing_dispute)

# What a file has in it lies under its digest in the city's folder.
clearing_dispute_evidence = Table(
    "clearing_dispute_evidence",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("dispute", Uuid, ForeignKey(clearing_dispute.c.id), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("note", String(2000), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(clearing_dispute_evidence)

# ``rule`` names the rule that decided where nobody did in time.
clearing_dispute_decision = Table(
    "clearing_dispute_decision",
    metadata,
    Column("dispute", Uuid, ForeignKey(clearing_dispute.c.id), primary_key=True),
    Column("outcome", String(8), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("bearer", String(110), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("proposed_by", String(100), nullable=False),
    Column("rule", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    CheckConstraint("outcome IN ('upheld', 'part', 'refused')", name="outcome"),
    CheckConstraint("(outcome = 'refused') = (amount_fen = 0)", name="amount"),
)
append_only(clearing_dispute_decision)

# Records that people decided, with their bytes: a copy that comes later, or another record of the same card
# and counter, is not paid.
clearing_settled = Table(
    "clearing_settled",
    metadata,
    Column("record", String(40), primary_key=True),
    Column("bucket", SmallInteger, nullable=False, index=True),
    Column("asn", String(20), nullable=False),
    Column("counter", Integer, nullable=False),
    Column("raw", LargeBinary(128), nullable=False),
)
append_only(clearing_settled)
