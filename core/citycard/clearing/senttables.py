"""The tables of what senders hand in: who they are, their files and uploads, and late files let through."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    and_,
    true,
)

from citycard.registry.tables import partner
from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, UtcTime, metadata

__all__ = ["late_release", "sender", "sent_file", "upload"]

sender = Table(
    "sender",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("partner", String(64), ForeignKey(partner.c.id), nullable=False),
    Column("public_key", String(400), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
)

# One row for each sender's file; its batches have rows of ``batch_file`` in the same intake. Without the
# sender's signature a file uses no number: anybody could write its cover.
sent_file = Table(
    "clearing_sent_file",
    metadata,
    Column("intake", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(400), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("code", String(3), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("sender", String(32), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("format", String(10), nullable=False),
    Column("records", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("unreadable", Integer, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("archive", String(200), nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("signed", Boolean, nullable=False, server_default=true()),
    CheckConstraint("state IN ('accepted', 'duplicate', 'quarantined')", name="state"),
)
Index(
    "uq_clearing_sent_file_accepted",
    sent_file.c.sender,
    sent_file.c.number,
    unique=True,
    sqlite_where=and_(sent_file.c.state == "accepted", sent_file.c.signed),
    postgresql_where=and_(sent_file.c.state == "accepted", sent_file.c.signed),
)
Index("ix_clearing_sent_file_sender", sent_file.c.sender, sent_file.c.number)
append_only(sent_file)

late_release = Table(
    "clearing_late_release",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("actor", String(100), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("released_at", UtcTime, nullable=False),
)
append_only(late_release)

# The bytes of an upload lie under ``uploads/``; ``answer`` is what came of it.
upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sender", String(32), ForeignKey(sender.c.id), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("cover", JSON, nullable=False),
    Column("begun_at", UtcTime, nullable=False, index=True),
    Column("answer", JSON(none_as_null=True)),
)
