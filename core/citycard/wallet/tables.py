"""The wallet's own tables, beside the ledger's."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Uuid

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, LocalTime, UtcTime, metadata

__all__ = ["float_checkpoint", "float_sum", "load"]

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
Index("ix_load_asn", load.c.asn, load.c.online_atc)

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
