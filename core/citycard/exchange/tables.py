"""The tables of the exchange with other cities. Nothing in them is ever changed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "exchange_answer",
    "exchange_file",
    "exchange_record",
    "exchange_repaid",
    "exchange_settled",
    "exchange_settlement",
]

# One row for every file sent or handed in, duplicates and quarantined ones too. ``intake`` is the turn in
# which clearing finds the records of a file that came in, ``run`` the run whose records or answers were sent,
# and ``answers`` the number of the file of records that a file of answers is about. ``totals`` has, of what
# we answered, state, code, records and fen of each state and code; answers of earlier times have none.
exchange_file = Table(
    "exchange_file",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("way", String(3), nullable=False),
    Column("city", String(4), nullable=False),
    Column("kind", String(7), nullable=False),
    Column("number", Integer),
    Column("name", String(400), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("code", String(3), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("day", Date),
    Column("records", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("gross_fen", Fen, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("answers", Integer),
    Column("list", Integer),
    Column("intake", Integer),
    Column("run", Integer),
    Column("path", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("totals", JSON(none_as_null=True)),
    CheckConstraint("way IN ('in', 'out')", name="way"),
    CheckConstraint("state IN ('accepted', 'duplicate', 'quarantined')", name="state"),
)
Index(
    "uq_exchange_file_accepted",
    exchange_file.c.way,
    exchange_file.c.city,
    exchange_file.c.kind,
    exchange_file.c.number,
    unique=True,
    sqlite_where=exchange_file.c.state == "accepted",
    postgresql_where=exchange_file.c.state == "accepted",
)
append_only(exchange_file)

# Records that were sent to the issuers of their cards. ``parts`` says who is paid how much once it accepts.
exchange_record = Table(
    "exchange_record",
    metadata,
    Column("city", String(4), primary_key=True),
    Column("file", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("record", String(40), nullable=False, unique=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("counter", Integer, nullable=False),
    Column("service", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("parts", JSON, nullable=False),
)
append_only(exchange_record)

# What the issuer said of a record. It may suspend one first; accepted, rejected and duplicate are for ever.
exchange_answer = Table(
    "exchange_answer",
    metadata,
    Column("city", String(4), primary_key=True),
    Column("file", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("answer", Integer, primary_key=True, autoincrement=False),
    Column("state", String(9), nullable=False),
    Column("code", String(3), nullable=False),
    Column("fee_fen", Fen, nullable=False),
    ForeignKeyConstraint(
        ["city", "file", "line"], [exchange_record.c.city, exchange_record.c.file, exchange_record.c.line]
    ),
    CheckConstraint("state IN ('accepted', 'rejected', 'suspended', 'duplicate')", name="state"),
)
Index(
    "uq_exchange_answer_final",
    exchange_answer.c.city,
    exchange_answer.c.file,
    exchange_answer.c.line,
    unique=True,
    sqlite_where=exchange_answer.c.state != "suspended",
    postgresql_where=exchange_answer.c.state != "suspended",
)
append_only(exchange_answer)

exchange_settlement = Table(
    "exchange_settlement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("city", String(4), nullable=False, index=True),
    Column("through", Date, nullable=False),
    Column("owed_fen", Fen, nullable=False),
    Column("due_fen", Fen, nullable=False),
    Column("payment", Uuid),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
)
append_only(exchange_settlement)

# Which files of answers a settlement was about: each is settled once.
exchange_settled = Table(
    "exchange_settled",
    metadata,
    Column("way", String(3), primary_key=True),
    Column("city", String(4), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("settlement", Uuid, ForeignKey(exchange_settlement.c.id), nullable=False),
)
append_only(exchange_settled)

# Which of our payments to other cities came back, and which settlement owes each one again: once.
exchange_repaid = Table(
    "exchange_repaid",
    metadata,
    Column("payment", Uuid, primary_key=True),
    Column("settlement", Uuid, ForeignKey(exchange_settlement.c.id), nullable=False),
)
append_only(exchange_repaid)
