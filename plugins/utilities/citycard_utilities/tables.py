"""Where bills, receipts, credits, mandates and meters are kept."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, MetaData, String, Table, Uuid

from citycard.store import NAMING_CONVENTION, Fen, LocalTime, UtcTime

__all__ = [
    "bill",
    "bill_file",
    "collection",
    "credit",
    "credit_use",
    "household",
    "mandate",
    "meter_credit",
    "meter_reading",
    "receipt",
    "returned",
    "run",
    "tables",
]

tables = MetaData(naming_convention=NAMING_CONVENTION)

# A file that was taken, by its digest: handed in again, it gets the answer it got then.
bill_file = Table(
    "utilities_file",
    tables,
    Column("biller", String(32), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("report", JSON, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", UtcTime, nullable=False),
)

# ``settled_fen`` is what was paid of the amount, without late fees; ``minor`` the amount in its currency.
bill = Table(
    "utilities_bill",
    tables,
    Column("biller", String(32), primary_key=True),
    Column("number", String(20), primary_key=True),
    Column("household", String(16), nullable=False),
    Column("holder", String(20), nullable=False),
    Column("period", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("due", Date, nullable=False),
    Column("state", String(9), nullable=False),
    Column("settled_fen", Fen, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("ix_utilities_bill_household", "household", "biller"),
    Index("ix_utilities_bill_state", "biller", "state"),
)

# Money that came in for a bill. ``id`` is that of the record, or of the payment. What came in is what paid
# the bill (``applied_fen``, of it ``late_fen`` for being late), what is kept for the household's next bill
# (``credited_fen``), what went back (``returned_fen``), and what nobody knows a bill for (``open_fen``).
receipt = Table(
    "utilities_receipt",
    tables,
    Column("id", String(40), primary_key=True),
    Column("channel", String(7), nullable=False),
    Column("biller", String(32), nullable=False),
    Column("bill", String(20), nullable=False),
    Column("household", String(16), nullable=False),
    Column("asn", String(20), nullable=False),
    Column("account", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("applied_fen", Fen, nullable=False),
    Column("late_fen", Fen, nullable=False),
    Column("credited_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False),
    Column("open_fen", Fen, nullable=False),
    Column("fee_fen", Fen, nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("run", Integer),
    Column("reason", String(300), nullable=False),
    Index("ix_utilities_receipt_bill", "biller", "bill"),
    Index("ix_utilities_receipt_run", "biller", "run"),
    Index("ix_utilities_receipt_asn", "asn", "at"),
    Index("ix_utilities_receipt_state", "state"),
)

# Money on its way back to who paid; ``cause`` is why: double, withdrawn, reversed, unmatched.
returned = Table(
    "utilities_return",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("receipt", String(40), nullable=False, index=True),
    Column("biller", String(32), nullable=False),
    Column("bill", String(20), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("cause", String(9), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("approved_by", String(100), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("state", String(7), nullable=False),
    Column("told", String(300), nullable=False),
    Column("at", LocalTime, nullable=False),
    Index("ix_utilities_return_state", "state"),
)

credit = Table(
    "utilities_credit",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("receipt", String(40), nullable=False, index=True),
    Column("biller", String(32), nullable=False),
    Column("household", String(16), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("left_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
    Index("ix_utilities_credit_household", "biller", "household"),
)

credit_use = Table(
    "utilities_credit_use",
    tables,
    Column("credit", Uuid, primary_key=True),
    Column("bill", String(20), primary_key=True),
    Column("biller", String(32), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
)

# A clearing run whose records were matched.
run = Table(
    "utilities_run",
    tables,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("records", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# ``active`` is one for a mandate that collects and NULL for one that ended, so that a household has one.
mandate = Table(
    "utilities_mandate",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), nullable=False, index=True),
    Column("account", String(20), nullable=False),
    Column("biller", String(32), nullable=False),
    Column("household", String(16), nullable=False),
    Column("most_fen", Fen, nullable=False),
    Column("active", Integer),
    Column("made_by", String(100), nullable=False),
    Column("made_at", LocalTime, nullable=False),
    Column("ended_by", String(100), nullable=False),
    Column("ended_at", LocalTime),
    Index("uq_utilities_mandate_active", "biller", "household", "active", unique=True),
)

# One try after the other to collect a bill by a mandate; ``tries`` counts those that were refused.
collection = Table(
    "utilities_collection",
    tables,
    Column("mandate", Uuid, primary_key=True),
    Column("bill", String(20), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("biller", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_on", Date, nullable=False),
    Column("told", String(300), nullable=False),
    Index("ix_utilities_collection_next", "state", "next_on"),
)

# The households that a citizen looks after.
household = Table(
    "utilities_household",
    tables,
    Column("asn", String(20), primary_key=True),
    Column("biller", String(32), primary_key=True),
    Column("number", String(16), primary_key=True),
    Column("label", String(40), nullable=False),
)

meter_credit = Table(
    "utilities_meter_credit",
    tables,
    Column("record", String(40), primary_key=True),
    Column("biller", String(32), nullable=False),
    Column("meter", String(12), nullable=False),
    Column("asn", String(20), nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("run", Integer, nullable=False),
    Index("ix_utilities_meter_credit_meter", "biller", "meter"),
    Index("ix_utilities_meter_credit_asn", "asn"),
)

meter_reading = Table(
    "utilities_meter_reading",
    tables,
    Column("biller", String(32), primary_key=True),
    Column("meter", String(12), primary_key=True),
    Column("read_at", LocalTime, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("reading", BigInteger, nullable=False),
    Column("left_units", BigInteger, nullable=False),
    Column("record", String(40), nullable=False),
)
