"""The tables of what goes between the city and its bank. What came from the bank is never changed.

A payment is ordered in the transaction that moves its money into transit. It is collected into one
instruction, which is written as a file from its rows alone. A statement's line ends with one row of
``bank_match``; what needs a person opens a ``bank_case``, whose steps are kept.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "bank_case",
    "bank_case_step",
    "bank_instruction",
    "bank_line",
    "bank_match",
    "bank_payment",
    "bank_receipt",
    "bank_statement",
]

bank_instruction = Table(
    "bank_instruction",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("message_id", String(35), nullable=False, unique=True),
    Column("path", String(200), nullable=False, unique=True),
    Column("execution_date", Date, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("debtor_name", String(140), nullable=False),
    Column("debtor_account", String(34), nullable=False),
    Column("debtor_bic", String(11), nullable=False),
    Column("payments", Integer, nullable=False),
    Column("total_fen", Fen, nullable=False),
    CheckConstraint("payments > 0 AND total_fen > 0", name="not_empty"),
)
append_only(bank_instruction)

# ``source`` is the account the money came from, and goes back to when the payment comes back;
# ``transfer`` is the posting that moved it into ``transit``.
bank_payment = Table(
    "bank_payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("end_to_end", String(35), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("creditor_name", String(140), nullable=False),
    Column("creditor_account", String(34), nullable=False),
    Column("creditor_bic", String(11), nullable=False),
    Column("text", String(140), nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("source", String(200), nullable=False),
    Column("transit", String(200), nullable=False),
    Column("transfer", Uuid, nullable=False, unique=True),
    Column("ordered_at", UtcTime, nullable=False),
    Column("instruction", Integer, ForeignKey(bank_instruction.c.number), index=True),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("state IN ('ordered', 'instructed', 'settled', 'returned')", name="state"),
)

# Money that is to come in: ``reference`` is what the payer writes. A standing one is used again and again.
# Without ``credit`` the ledger has the money in the trust account already: cash taken at the desk.
bank_receipt = Table(
    "bank_receipt",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", String(35), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("amount_fen", Fen),
    Column("credit", String(200), nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("state", String(8), nullable=False),
    Column("expected_at", UtcTime, nullable=False),
    CheckConstraint("amount_fen IS NULL OR amount_fen > 0", name="amount"),
    CheckConstraint("state IN ('open', 'received')", name="state"),
)

bank_statement = Table(
    "bank_statement",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("account", String(34), nullable=False),
    Column("statement_id", String(35), nullable=False),
    Column("sequence", BigInteger),
    Column("version", String(2), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date, nullable=False),
    Column("opening_fen", Fen, nullable=False),
    Column("closing_fen", Fen, nullable=False),
    Column("credit_fen", Fen, nullable=False),
    Column("debit_fen", Fen, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("file_digest", String(64), nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    UniqueConstraint("account", "statement_id"),
    CheckConstraint("opening_fen + credit_fen - debit_fen = closing_fen", name="adds_up"),
)
append_only(bank_statement)

bank_line = Table(
    "bank_line",
    metadata,
    Column("statement", Integer, ForeignKey(bank_statement.c.number), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("direction", String(4), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("reference", String(35), nullable=False, index=True),
    Column("end_to_end", String(35), nullable=False, index=True),
    Column("batch", String(35), nullable=False),
    Column("party_name", String(140), nullable=False),
    Column("party_account", String(34), nullable=False),
    Column("text", String(500), nullable=False),
    Column("kind", String(35), nullable=False),
    Column("return_reason", String(35), nullable=False),
    CheckConstraint("direction IN ('CRDT', 'DBIT')", name="direction"),
    CheckConstraint("amount_fen > 0", name="amount"),
)
append_only(bank_line)

bank_match = Table(
    "bank_match",
    metadata,
    Column("statement", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),
    Column("code", String(3), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("payment", Uuid, ForeignKey(bank_payment.c.id), index=True),
    Column("instruction", Integer, ForeignKey(bank_instruction.c.number)),
    Column("receipt", Uuid, ForeignKey(bank_receipt.c.id)),
    Column("matched_at", UtcTime, nullable=False),
    ForeignKeyConstraint(["statement", "position"], [bank_line.c.statement, bank_line.c.position]),
    CheckConstraint("state IN ('matched', 'returned', 'charge', 'exception')", name="state"),
)
append_only(bank_match)

# What needs a person: a line that nothing explains, or a payment that the bank does not show.
bank_case = Table(
    "bank_case",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(3), nullable=False),
    Column("statement", Integer),
    Column("position", Integer),
    Column("payment", Uuid, ForeignKey(bank_payment.c.id), index=True),
    Column("since", Date, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("taken_by", String(100), nullable=False),
    Column("how", String(10), nullable=False),
    Column("resolution", String(300), nullable=False),
    UniqueConstraint("statement", "position"),
    ForeignKeyConstraint(["statement", "position"], [bank_line.c.statement, bank_line.c.position]),
    CheckConstraint("state IN ('open', 'taken', 'resolved')", name="state"),
    CheckConstraint("(statement IS NULL) = (position IS NULL)", name="line"),
    CheckConstraint("(state = 'resolved') = (how <> '')", name="how"),
)

bank_case_step = Table(
    "bank_case_step",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("about", Uuid, ForeignKey(bank_case.c.id), nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(bank_case_step)
