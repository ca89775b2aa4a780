"""Where health keeps what it knows; what is said about somebody's health stands in sealed columns only."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
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
    "booking",
    "claim",
    "entry",
    "line",
    "paid_record",
    "patient",
    "purse_return",
    "reading_log",
    "refund",
    "run_seen",
    "slot",
    "sport",
    "statement",
    "tables",
    "used",
    "visit",
]

tables = MetaData(naming_convention=NAMING_CONVENTION)


def _patient() -> Column[object]:
    return Column("patient", Uuid, ForeignKey("health_patient.id"), nullable=False, index=True)


patient = Table(
    "health_patient",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False, unique=True),
    Column("holder", Uuid, index=True),
    Column("plan", String(40), nullable=False, default=""),
    Column("insured_until", Date),
    Column("sealed", LargeBinary),
    Column("created_at", UtcTime, nullable=False),
)

used = Table(
    "health_used",
    tables,
    Column("patient", Uuid, ForeignKey("health_patient.id"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("deductible_fen", Fen, nullable=False, default=0),
    Column("insured_fen", Fen, nullable=False, default=0),
    Column("sports_fen", Fen, nullable=False, default=0),
    CheckConstraint("deductible_fen >= 0 AND insured_fen >= 0 AND sports_fen >= 0", name="not_negative"),
)

slot = Table(
    "health_slot",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("clinic", String(64), nullable=False),
    Column("department", String(60), nullable=False),
    Column("doctor", String(60), nullable=False),
    Column("level", Integer, nullable=False),
    Column("starts_at", LocalTime, nullable=False),
    Column("ends_at", LocalTime, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("taken", Integer, nullable=False, default=0),
    UniqueConstraint("clinic", "doctor", "starts_at"),
    CheckConstraint("taken >= 0 AND taken <= capacity", name="not_oversold"),
    Index("ix_health_slot_starts_at", "starts_at"),
)

booking = Table(
    "health_booking",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("slot", Uuid, ForeignKey("health_slot.id"), nullable=False, index=True),
    _patient(),
    Column("asn", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("made_at", LocalTime, nullable=False),
    Column("made_by", String(64), nullable=False, default=""),
    Column("changed_at", LocalTime, nullable=False),
    Column("record", String(40), nullable=False, default=""),
)

visit = Table(
    "health_visit",
    tables,
    Column("id", Uuid, primary_key=True),
    _patient(),
    Column("asn", String(20), nullable=False),
    Column("clinic", String(64), nullable=False, index=True),
    Column("plan", String(40), nullable=False),
    Column("insurer", String(64), nullable=False),
    Column("year", Integer, nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("use_account", Boolean, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("price_fen", Fen, nullable=False),
    Column("insured_fen", Fen, nullable=False),
    Column("subsidy_fen", Fen, nullable=False, default=0),
    Column("account_fen", Fen, nullable=False, default=0),
    Column("purse_fen", Fen, nullable=False, default=0),
    Column("due_fen", Fen, nullable=False, default=0),
    Column("purse_paid_fen", Fen, nullable=False, default=0),
    Column("purse_returned_fen", Fen, nullable=False, default=0),
    Column("online_returned_fen", Fen, nullable=False, default=0),
    Column("payment", Uuid),
    Column("actor", String(80), nullable=False, default=""),
)

line = Table(
    "health_line",
    tables,
    Column("visit", Uuid, ForeignKey("health_visit.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("amount_fen", Fen, nullable=False),
    Column("deductible_fen", Fen, nullable=False),
    Column("insured_fen", Fen, nullable=False),
    Column("refund", Uuid),
    Column("sealed", LargeBinary, nullable=False),
)

refund = Table(
    "health_refund",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("visit", Uuid, ForeignKey("health_visit.id"), nullable=False, index=True),
    Column("at", LocalTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("insured_fen", Fen, nullable=False),
    Column("purse_fen", Fen, nullable=False),
    Column("online_fen", Fen, nullable=False),
    Column("reason", String(100), nullable=False),
    Column("actor", String(80), nullable=False),
)

paid_record = Table(
    "health_paid_record",
    tables,
    Column("record", String(40), primary_key=True),
    Column("visit", Uuid, ForeignKey("health_visit.id"), nullable=False, index=True),
    Column("amount_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False, default=0),
)

purse_return = Table(
    "health_purse_return",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("visit", Uuid, ForeignKey("health_visit.id"), nullable=False, index=True),
    Column("record", String(40), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("state", String(10), nullable=False),
)

claim = Table(
    "health_claim",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("visit", Uuid, ForeignKey("health_visit.id"), nullable=False, index=True),
    Column("insurer", String(64), nullable=False),
    Column("clinic", String(64), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("month", String(7), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("statement", Uuid, index=True),
)

statement = Table(
    "health_statement",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("insurer", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("claims", Integer, nullable=False),
    Column("total_fen", Fen, nullable=False),
    Column("reference", String(35), nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    Column("closed_at", LocalTime, nullable=False),
    Column("settled_at", LocalTime),
    UniqueConstraint("insurer", "month"),
)

entry = Table(
    "health_entry",
    tables,
    Column("id", Uuid, primary_key=True),
    _patient(),
    Column("kind", String(12), nullable=False),
    Column("recorded_at", LocalTime, nullable=False),
    Column("source", String(80), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

reading_log = Table(
    "health_reading",
    tables,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    _patient(),
    Column("at", LocalTime, nullable=False),
    Column("reader", String(100), nullable=False),
    Column("what", String(40), nullable=False),
    Column("reason", String(100), nullable=False),
    Column("break_glass", Boolean, nullable=False),
)
append_only(reading_log)

sport = Table(
    "health_sport",
    tables,
    Column("id", Uuid, primary_key=True),
    _patient(),
    Column("asn", String(20), nullable=False),
    Column("venue", String(64), nullable=False),
    Column("year", Integer, nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False, default=0),
    Column("payment", Uuid),
    Column("refund", Uuid),
)

run_seen = Table("health_run", tables, Column("number", Integer, primary_key=True, autoincrement=False))
