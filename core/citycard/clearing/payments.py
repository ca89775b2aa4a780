"""The bank instruction of a run, written once, after the run is closed: only what is committed is paid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from citycard.clearing.bank import CreditTransfer, Instruction, write_instruction
from citycard.clearing.context import BankAccount, ClearingContext, ClearingTerms
from citycard.clearing.tables import clearing_run, statement
from citycard.files import write_whole
from citycard.ids import derived_id
from citycard.store.engine import reading

__all__ = ["ensure_payment_file", "payment_path", "payment_reference"]


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


def ensure_payment_file(context: ClearingContext, run: int) -> None:
    """Write the bank instruction of a closed run unless it is there or pays nobody.

    A crash between the commit and this file is mended by the next call; the content follows from the rows
    alone, so that it is the same message with the same ids, which the bank takes once.
    """
    path = context.folder / payment_path(run)
    if path.exists():
        return
    with reading(context.engine) as conn:
        closed = select(clearing_run).where(clearing_run.c.number == run, clearing_run.c.state == "closed")
        row = conn.execute(closed).one_or_none()
        paid = select(statement).where(statement.c.run == run, statement.c.end_to_end != "")
        statements = conn.execute(paid.order_by(statement.c.partner)).all()
    if row is None or not statements:
        return
    written = write_instruction(_instruction(context, row, statements))
    write_whole(path, lambda file: _put(file, written))


def _put(file: Any, written: bytes) -> None:
    file.write(written)


def _instruction(context: ClearingContext, run: Row[Any], statements: Any) -> Instruction:
    debtor = context.terms.debtor
    opened: datetime = run.opened_at.astimezone(ZoneInfo(context.terms.timezone))
    return Instruction(
        message_id=payment_reference(context.terms, run.opened_at, run.digest, "message", run.number),
        created_at=opened,
        execution_date=opened.date(),
        debtor=debtor,
        transfers=[
            CreditTransfer(
                end_to_end=row.end_to_end,
                amount_fen=row.net_fen,
                creditor=BankAccount(
                    name=row.account_name or row.name, account=row.account_no, bic=row.bank_bic
                ),
                text=f"citycard clearing run {row.run}, gross {row.gross_fen} fen, fee {row.fee_fen} fen",
            )
            for row in statements
        ],
    )
