"""What a run pays: payments that are ordered when it is closed, in an instruction of the run's own.

Its file is written after the run is closed, from its rows alone: only what is committed is paid.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from citycard.bank.instructing import ensure_file, open_instruction
from citycard.bank.instruction import BankAccount
from citycard.bank.payments import Payment, PaymentKind, note_payments
from citycard.bank.tables import bank_instruction
from citycard.clearing.context import ClearingContext, ClearingTerms
from citycard.clearing.postings import transfer_ids
from citycard.clearing.tables import clearing_run, statement
from citycard.ids import derived_id
from citycard.store.engine import reading, writing
from citycard.wallet.addresses import partner_payable

__all__ = [
    "adopt_payments",
    "ensure_payment_file",
    "order_run_payments",
    "payment_path",
    "payment_reference",
]


def payment_path(run: int) -> str:
    """Give the place of a run's bank instruction, relative to the city's folder."""
    return f"bank/run-{run:06d}.pain.001.001.09.xml"


def payment_reference(terms: ClearingTerms, opened_at: datetime, digest: str, *parts: object) -> str:
    """Give an id for the bank, 32 hexadecimal digits; ``parts`` name the message, or the run and who is paid.

    A bank takes an id once, and two cities may clear the same records. So the city is in it (its issuers and
    the trust account), and the run by its digest and the moment it was opened, which no two runs share.
    """
    city = (*sorted(terms.issuers), terms.debtor.account)
    opened = opened_at.astimezone(UTC).isoformat()
    return derived_id("clearing", "bank", *city, opened, digest, *parts).hex


def order_run_payments(conn: Connection, context: ClearingContext, run: int) -> None:
    """Order what a run's statements pay, in the transaction that closes it; again without harm."""
    made = conn.execute(select(clearing_run).where(clearing_run.c.number == run)).one()
    paid = select(statement).where(statement.c.run == run, statement.c.end_to_end != "")
    ordered = [_payment(row) for row in conn.execute(paid.order_by(statement.c.partner))]
    if not note_payments(conn, ordered, at=made.opened_at):
        return
    terms = context.terms
    open_instruction(
        conn,
        [payment.id for payment in ordered],
        debtor=terms.debtor,
        calendar=terms.calendar,
        timezone=terms.timezone,
        at=made.opened_at,
        request=_request(run),
        message_id=payment_reference(terms, made.opened_at, made.digest, "message", run),
        path=payment_path(run),
    )


def adopt_payments(context: ClearingContext) -> int:
    """Order what runs paid that were closed before payments were kept, and return how many runs those are."""
    with reading(context.engine) as conn:
        runs = select(statement.c.run).where(statement.c.end_to_end != "").distinct()
        known = set(conn.scalars(select(bank_instruction.c.path)))
        missing = [run for run in sorted(conn.scalars(runs)) if payment_path(run) not in known]
    for run in missing:
        with writing(context.engine) as conn:
            order_run_payments(conn, context, run)
    return len(missing)


def ensure_payment_file(context: ClearingContext, run: int) -> None:
    """Write the bank instruction of a closed run unless it is there or pays nobody.

    A crash between the commit and this file is mended by the next call; the content follows from the rows
    alone, so that it is the same message with the same ids, which the bank takes once.
    """
    with reading(context.engine) as conn:
        query = select(bank_instruction.c.number).where(bank_instruction.c.path == payment_path(run))
        number = conn.scalar(query)
    if number is not None:
        ensure_file(context.engine, context.folder, number)


def _request(run: int) -> UUID:
    return derived_id("clearing", run, "instruction")


def _payment(row: Row[Any]) -> Payment:
    return Payment(
        id=derived_id("clearing", row.run, "payment", row.partner),
        kind=PaymentKind.SETTLEMENT,
        amount_fen=row.net_fen + row.carried_fen - row.held_fen,
        creditor=BankAccount(name=row.account_name or row.name, account=row.account_no, bic=row.bank_bic),
        source=partner_payable(row.partner),
        text=_words(row),
        end_to_end=row.end_to_end,
        transfer=transfer_ids(row.run, row.partner)["settlement"],
    )


def _words(row: Row[Any]) -> str:
    words = f"citycard clearing run {row.run}, gross {row.gross_fen} fen, fee {row.fee_fen} fen"
    return f"{words}, carried {row.carried_fen} fen" if row.carried_fen else words
