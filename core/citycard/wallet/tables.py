"""The wallet's own tables, beside the ledger's."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Uuid

from citycard.store.metadata import Fen, LocalTime, metadata

__all__ = ["load"]

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
