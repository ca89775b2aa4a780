"""The tables of egov. What identifies a person is sealed; a resident is found by a keyed digest alone."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from citycard.store import NAMING_CONVENTION, Fen, LocalTime, SerialNumber, UtcTime
from citycard.store.guarding import append_only

__all__ = [
    "MIGRATIONS",
    "application",
    "application_step",
    "came_query",
    "card",
    "challenge",
    "conflict",
    "consent",
    "exchange_log",
    "metadata",
    "notice",
    "plan",
    "plan_line",
    "proof",
    "reading_log",
    "resident",
    "standing",
    "ticket",
    "told",
]

MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData(naming_convention=NAMING_CONVENTION)

resident = Table(
    "egov_resident",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # keyed, of the identity number
    Column("number_sealed", LargeBinary, nullable=False),
    Column("at", LocalTime, nullable=False),
)

#: What a department told, each time it told something else; never changed, only erased with the person.
told = Table(
    "egov_told",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("field", String(32), nullable=False),
    Column("source", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("value_sealed", LargeBinary, nullable=False),
    Column("value_digest", LargeBinary(32), nullable=False),  # keyed; empty values are told as gone
    Column("at", LocalTime, nullable=False),
    Column("actor", String(100), nullable=False),
    Index("ix_egov_told_resident", "resident", "field", "seq"),
)

#: Which of them stands in the register now.
standing = Table(
    "egov_standing",
    metadata,
    Column("resident", Uuid, ForeignKey("egov_resident.id"), primary_key=True),
    Column("field", String(32), primary_key=True),
    Column("told", SerialNumber, ForeignKey("egov_told.seq"), nullable=False),
)

conflict = Table(
    "egov_conflict",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("field", String(32), nullable=False),
    Column("standing", SerialNumber, ForeignKey("egov_told.seq"), nullable=False),
    Column("told", SerialNumber, ForeignKey("egov_told.seq"), nullable=False),
    Column("opened_at", LocalTime, nullable=False),
    Column("settled_at", LocalTime),
    Column("chosen", SerialNumber, ForeignKey("egov_told.seq")),
    Column("settled_by", String(100)),
    Column("reason", String(200)),
    Index("ix_egov_conflict_resident", "resident", "field"),
)

#: Whose card it is, and under which version of the identity key it can prove that; 0 before that.
card = Table(
    "egov_card",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("actor", String(100), nullable=False),
    Index("ix_egov_card_resident", "resident"),
)

#: Who read which fields of whose file, when and why; written before anything is shown.
reading_log = Table(
    "egov_reading",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("resident", Uuid, nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("reader", String(100), nullable=False),
    Column("department", String(64), nullable=False),
    Column("why", String(200), nullable=False),
    Column("fields", JSON, nullable=False),
    Index("ix_egov_reading_resident", "resident", "seq"),
)
append_only(reading_log)

challenge = Table(
    "egov_challenge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False),
    Column("asked_by", String(100), nullable=False),
    Column("challenge", LargeBinary(16), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index("ix_egov_challenge_expires_at", "expires_at"),
)

proof = Table(
    "egov_proof",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of the proof; itself it is nowhere
    Column("asn", String(20), nullable=False),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("asked_by", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_egov_proof_resident", "resident"),
)

consent = Table(
    "egov_consent",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("asker", String(40), nullable=False),
    Column("node", String(40), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("until", Date, nullable=False),
    Column("given_at", LocalTime, nullable=False),
    Column("withdrawn_at", LocalTime),
    Index("ix_egov_consent_resident", "resident"),
)

application = Table(
    "egov_application",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service", String(40), nullable=False),
    Column("resident", Uuid, ForeignKey("egov_resident.id"), nullable=False),
    Column("asn", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("step", Integer, nullable=False),
    Column("department", String(40), nullable=False),  # whose turn it is
    Column("due_on", Date),
    Column("overdue", Boolean, nullable=False),
    Column("form_sealed", LargeBinary, nullable=False),
    Column("content", LargeBinary(32), nullable=False),  # keyed digest of what was asked for
    Column("fee_fen", Fen, nullable=False),
    Column("filed_at", LocalTime, nullable=False),
    Column("closed_at", LocalTime),
    Index("ix_egov_application_resident", "resident"),
    Index("ix_egov_application_department", "department", "state", "due_on"),
)

application_step = Table(
    "egov_application_step",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("application", Uuid, ForeignKey("egov_application.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("action", String(10), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("words_sealed", LargeBinary, nullable=False),
    Column("act", Uuid, unique=True),  # the client's id of what was done
    Column("at", LocalTime, nullable=False),
    Index("ix_egov_application_step_application", "application", "seq"),
)

ticket = Table(
    "egov_ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("window", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("asn", String(20), nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("called_at", LocalTime),
    Column("called_by", String(100)),
    Column("ended_at", LocalTime),
    UniqueConstraint("window", "day", "number"),
)

plan = Table(
    "egov_plan",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("programme", String(64), nullable=False),
    Column("title", String(100), nullable=False),
    Column("department", String(40), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the file
    Column("state", String(10), nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("made_at", LocalTime, nullable=False),
    Column("first_by", String(100)),
    Column("first_at", LocalTime),
    Column("second_by", String(100)),
    Column("second_at", LocalTime),
    Column("paid_at", LocalTime),
)

plan_line = Table(
    "egov_plan_line",
    metadata,
    Column("plan", String(40), ForeignKey("egov_plan.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("asn", String(20)),
    Column("amount_fen", Fen),
    Column("state", String(6), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("opened", Boolean, nullable=False),  # an account was opened for it
    Index("ix_egov_plan_line_asn", "asn"),
)

notice = Table(
    "egov_notice",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("department", String(40), nullable=False),
    Column("title", String(100), nullable=False),
    Column("title_zh", String(100), nullable=False),
    Column("body", String(4000), nullable=False),
    Column("body_zh", String(4000), nullable=False),
    Column("published_at", LocalTime, nullable=False),
    Column("published_by", String(100), nullable=False),
    Column("withdrawn_at", LocalTime),
)

#: The ids of queries that came lately: each is answered once.
came_query = Table(
    "egov_came_query",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", UtcTime, nullable=False),
)

#: Each query that the city hall asked or answered, chained: a row's hash covers the row before it.
exchange_log = Table(
    "egov_exchange_log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
append_only(exchange_log)
