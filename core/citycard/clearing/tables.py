"""The tables of clearing. Records lie in Parquet; a Parquet file that no row here names is garbage.

``clearing_clock`` is one row whose counters move in the transaction that uses them: whoever has read intake
number n has every intake up to n before him, which no sequence and no clock would promise.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, LocalTime, UtcTime, metadata

__all__ = [
    "batch_file",
    "clearing_awaited",
    "clearing_clock",
    "clearing_counted",
    "clearing_hole",
    "clearing_part",
    "clearing_run",
    "gap",
    "held_record",
    "manifest",
    "manifest_line",
    "segment",
    "statement",
]

clearing_clock = Table(
    "clearing_clock",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("intake", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

# One row per file handed in, duplicates and quarantined files too. ``archive`` names the zip that holds the
# bytes under their digest; ``sender`` is who signed for a batch that came in a file of its own.
batch_file = Table(
    "batch_file",
    metadata,
    Column("intake", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(400), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("state", String(12), nullable=False),
    Column("code", String(3), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("terminal", String(12), nullable=False),
    Column("number", BigInteger),
    Column("first_sequence", BigInteger),
    Column("records", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("business_date", Date),
    Column("created_at", LocalTime),
    Column("archive", String(200), nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("sender", String(32), nullable=False, server_default=""),
    CheckConstraint("state IN ('accepted', 'duplicate', 'quarantined')", name="state"),
)
Index(
    "uq_batch_file_accepted",
    batch_file.c.terminal,
    batch_file.c.number,
    unique=True,
    sqlite_where=batch_file.c.state == "accepted",
    postgresql_where=batch_file.c.state == "accepted",
)
append_only(batch_file)

segment = Table(
    "segment",
    metadata,
    Column("path", String(200), primary_key=True),
    Column("intake", Integer, nullable=False, index=True),
    Column("business_date", Date, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("records", Integer, nullable=False),
)
append_only(segment)

manifest = Table(
    "manifest",
    metadata,
    Column("collector", String(100), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("received_at", UtcTime, nullable=False),
)
append_only(manifest)

manifest_line = Table(
    "manifest_line",
    metadata,
    Column("collector", String(100), primary_key=True),
    Column("manifest", BigInteger, primary_key=True, autoincrement=False),
    Column("terminal", String(12), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("records", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    ForeignKeyConstraint(["collector", "manifest"], [manifest.c.collector, manifest.c.number]),
    Index("ix_manifest_line_batch", "terminal", "number"),
)
append_only(manifest_line)

# What is missing, kept as batches come: up to which number each terminal or sender has counted, and which
# numbers before that have not come.
clearing_counted = Table(
    "clearing_counted",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("owner", String(32), primary_key=True),
    Column("last_no", BigInteger, nullable=False),
    CheckConstraint("kind IN ('terminal', 'sender')", name="kind"),
)

clearing_hole = Table(
    "clearing_hole",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("owner", String(32), primary_key=True),
    Column("from_no", BigInteger, primary_key=True, autoincrement=False),
    Column("to_no", BigInteger, nullable=False),
    CheckConstraint("kind IN ('terminal', 'sender')", name="kind"),
    CheckConstraint("from_no <= to_no", name="order"),
)

# Lines of manifests whose batch has not come.
clearing_awaited = Table(
    "clearing_awaited",
    metadata,
    Column("collector", String(100), primary_key=True),
    Column("manifest", BigInteger, primary_key=True, autoincrement=False),
    Column("terminal", String(12), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_clearing_awaited_batch", "terminal", "number"),
)

# A run is opened before it reads anything: that freezes its watermark, so that it gives the same answer
# however often it is interrupted, and whatever arrives meanwhile.
clearing_run = Table(
    "clearing_run",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(6), nullable=False),
    Column("from_intake", Integer, nullable=False),
    Column("watermark", Integer, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("rules_version", String(64)),
    Column("digest", String(64)),
    Column("report", JSON),
    CheckConstraint("state IN ('open', 'closed')", name="state"),
)

clearing_part = Table(
    "clearing_part",
    metadata,
    Column("run", Integer, ForeignKey(clearing_run.c.number), primary_key=True),
    Column("share", SmallInteger, primary_key=True, autoincrement=False),
    Column("outcomes", String(200), nullable=False),
    Column("cards", String(200), nullable=False),
    Column("records", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)
append_only(clearing_part)

# A record that a run could not decide yet, with its bytes; ``decided_run`` is the later run that did, or the
# same run where people decided instead: then its outcome there stands.
held_record = Table(
    "clearing_held_record",
    metadata,
    Column("terminal", String(12), primary_key=True),
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("asn", String(20), nullable=False),
    Column("raw", LargeBinary(128), nullable=False),
    Column("business_date", Date, nullable=False),
    Column("code", String(3), nullable=False),
    Column("run", Integer, ForeignKey(clearing_run.c.number), nullable=False),
    Column("decided_run", Integer, ForeignKey(clearing_run.c.number)),
    Column("decided_code", String(3)),
    CheckConstraint("(decided_run IS NULL) = (decided_code IS NULL)", name="decided"),
)
Index(
    "ix_clearing_held_record_waiting",
    held_record.c.bucket,
    sqlite_where=held_record.c.decided_run.is_(None),
    postgresql_where=held_record.c.decided_run.is_(None),
)

# Counters of a card, or sequence numbers of a terminal, that nobody has handed in.
gap = Table(
    "gap",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("owner", String(20), nullable=False, index=True),
    Column("from_no", BigInteger, nullable=False),
    Column("to_no", BigInteger, nullable=False),
    Column("estimate_fen", Fen),
    Column("opened_run", Integer, nullable=False),
    Column("closed_run", Integer),
    # Of a gap that somebody gave up: who, why and when.
    Column("written_off_by", String(100)),
    Column("written_off_reason", String(300)),
    Column("written_off_at", UtcTime),
    CheckConstraint("kind IN ('card', 'terminal')", name="kind"),
    CheckConstraint("from_no <= to_no", name="order"),
)

statement = Table(
    "statement",
    metadata,
    Column("run", Integer, ForeignKey(clearing_run.c.number), primary_key=True),
    Column("partner", String(100), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("account_name", String(200), nullable=False),
    Column("account_no", String(40), nullable=False),
    Column("bank_bic", String(11), nullable=False),
    Column("records", Integer, nullable=False),
    Column("gross_fen", Fen, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("net_fen", Fen, nullable=False),
    Column("carried_fen", Fen, nullable=False, server_default="0"),
    Column("held_fen", Fen, nullable=False, server_default="0"),
    Column("end_to_end", String(35), nullable=False),
    Column("detail", JSON, nullable=False),
)
append_only(statement)
