"""Read what is known about some bank lines: payments, instructions, receipts, earlier bookings."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from citycard.bank.matching import Known
from citycard.bank.payments import Payment
from citycard.bank.receipts import Receipt, words_of
from citycard.bank.statement import StatementLine
from citycard.bank.tables import bank_instruction, bank_line, bank_payment, bank_receipt
from citycard.store.bulk import select_in

__all__ = ["read_known"]


def read_known(conn: Connection, lines: Iterable[StatementLine], *, before: int = 0) -> Known:
    """Read what may belong to these lines, and hold the payments until the transaction ends.

    Bookings with the same reference of the bank count when they came in a statement ``before`` this number.
    """
    listed = list(lines)
    known = Known()
    by_id = select(bank_payment).with_for_update()
    named = sorted({line.end_to_end for line in listed if line.end_to_end})
    for row in select_in(conn, by_id, bank_payment.c.end_to_end, named):
        known.payments[row.end_to_end] = Payment.of(row)
    batches = sorted({line.batch for line in listed if line.batch and not line.end_to_end})
    numbers = {
        row.number: row.message_id
        for row in select_in(conn, select(bank_instruction), bank_instruction.c.message_id, batches)
    }
    known.batches = {message: (number, []) for number, message in numbers.items()}
    for row in select_in(conn, by_id, bank_payment.c.instruction, sorted(numbers)):
        known.payments[row.end_to_end] = Payment.of(row)
        known.batches[numbers[row.instruction]][1].append(row.end_to_end)
    words = sorted(words_of(*(text for line in listed for text in (line.end_to_end, line.text))))
    for row in select_in(conn, select(bank_receipt), bank_receipt.c.reference, words):
        known.receipts[row.reference] = Receipt.of(row)
    if before:
        references = sorted({line.reference for line in listed if line.reference})
        columns = (
            bank_line.c.reference,
            bank_line.c.direction,
            bank_line.c.amount_fen,
            bank_line.c.booked_on,
        )
        earlier = select(*columns).where(bank_line.c.statement < before)
        for row in select_in(conn, earlier, bank_line.c.reference, references):
            known.booked.add((row.reference, row.direction, row.amount_fen))
            known.days.add((row.reference, row.direction, row.amount_fen, row.booked_on))
    return known
