"""Collect ordered payments into instructions: a row first, then a file that follows from the rows alone.

Interrupted anywhere, the next call writes what is missing. It is the same message with the same ids then,
which a bank takes once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Engine, func, insert, select, update

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.context import BankContext
from citycard.bank.instruction import NAMESPACE, BankAccount, CreditTransfer, Instruction, write_instruction
from citycard.bank.payments import Payment, PaymentState
from citycard.bank.tables import bank_instruction, bank_payment
from citycard.files import write_whole
from citycard.ids import derived_id, new_id
from citycard.store.bulk import chunks, select_in
from citycard.store.engine import reading, write_alone, writing

__all__ = ["BankFile", "bank_files", "ensure_file", "ensure_files", "instruct", "open_instruction"]

_MESSAGE = NAMESPACE.rpartition(":")[2]


@attrs.frozen(kw_only=True)
class BankFile:
    """An instruction as it is kept: its file below the city's folder, when it is to be executed, its sums."""

    number: int
    request: UUID
    message_id: str
    path: str
    execution_date: date
    created_at: datetime
    payments: int
    total_fen: int


def instruct(context: BankContext, request: UUID | None = None) -> BankFile | None:
    """Collect every ordered payment into one instruction, write its file, and give it; None without any.

    ``request`` is made by the caller: the same one gives the same instruction again.
    """
    terms = context.bank_terms
    asked = request or new_id()
    with writing(context.engine) as conn:
        write_alone(conn, bank_instruction)
        number = conn.scalar(select(bank_instruction.c.number).where(bank_instruction.c.request == asked))
        waiting = select(bank_payment.c.id).where(
            bank_payment.c.state == PaymentState.ORDERED, bank_payment.c.instruction.is_(None)
        )
        # One that a statement is being matched to at this moment waits for the next instruction.
        free = waiting.order_by(bank_payment.c.id).with_for_update(skip_locked=True)
        ids = [] if number else list(conn.scalars(free))
        if ids:
            number = open_instruction(
                conn,
                ids,
                debtor=terms.debtor,
                calendar=terms.calendar,
                timezone=terms.timezone,
                at=context.clock.now(),
                request=asked,
            )
    ensure_files(context)
    if number is None:
        return None
    with reading(context.engine) as conn:
        return next(file for file in bank_files(conn) if file.number == number)


def open_instruction(
    conn: Connection,
    ids: Collection[UUID],
    *,
    debtor: BankAccount,
    calendar: BusinessCalendar,
    timezone: str,
    at: datetime,
    request: UUID,
    message_id: str = "",
    path: str = "",
) -> int:
    """Write the row of an instruction for ordered payments and return its number.

    It is to be executed on the first business day that is not before ``at``. Its message id and its path
    follow from debtor, number and ``request`` unless given.
    """
    write_alone(conn, bank_instruction)
    number = (conn.scalar(select(func.max(bank_instruction.c.number))) or 0) + 1
    amounts = select(bank_payment.c.amount_fen)
    total_fen = sum(row.amount_fen for row in select_in(conn, amounts, bank_payment.c.id, list(ids)))
    conn.execute(
        insert(bank_instruction).values(
            number=number,
            request=request,
            message_id=message_id or derived_id("bank", "message", debtor.account, number, request).hex,
            path=path or f"bank/{number:06d}.{_MESSAGE}.xml",
            execution_date=calendar.on_or_after(at.astimezone(ZoneInfo(timezone)).date()),
            created_at=at,
            timezone=timezone,
            debtor_name=debtor.name,
            debtor_account=debtor.account,
            debtor_bic=debtor.bic,
            payments=len(ids),
            total_fen=total_fen,
        )
    )
    for piece in chunks(list(ids)):
        changed = {"state": PaymentState.INSTRUCTED.value, "instruction": number}
        conn.execute(update(bank_payment).where(bank_payment.c.id.in_(piece)).values(changed))
    return number


def bank_files(conn: Connection, *, limit: int | None = None) -> list[BankFile]:
    """Give the instructions, the newest first."""
    columns = [bank_instruction.c[field.name] for field in attrs.fields(BankFile)]
    query = select(*columns).order_by(bank_instruction.c.number.desc()).limit(limit)
    return [BankFile(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def ensure_files(context: BankContext) -> None:
    """Write the file of every instruction that the bank has not yet executed and whose file is not there."""
    with reading(context.engine) as conn:
        open_ones = select(bank_payment.c.instruction).where(
            bank_payment.c.state == PaymentState.INSTRUCTED, bank_payment.c.instruction.is_not(None)
        )
        numbers = sorted(set(conn.scalars(open_ones.distinct())))
    for number in numbers:
        ensure_file(context.engine, context.folder, number)


def ensure_file(engine: Engine, folder: Path, number: int) -> None:
    """Write the file of an instruction unless it is there."""
    with reading(engine) as conn:
        row = conn.execute(select(bank_instruction).where(bank_instruction.c.number == number)).one()
        path = folder / row.path
        if path.exists():
            return
        mine = select(bank_payment).where(bank_payment.c.instruction == number)
        paid = [Payment.of(each) for each in conn.execute(mine.order_by(bank_payment.c.id))]
    message = Instruction(
        message_id=row.message_id,
        created_at=row.created_at.astimezone(UTC).astimezone(ZoneInfo(row.timezone)),
        execution_date=row.execution_date,
        debtor=BankAccount(name=row.debtor_name, account=row.debtor_account, bic=row.debtor_bic),
        transfers=[
            CreditTransfer(
                end_to_end=payment.end_to_end,
                amount_fen=payment.amount_fen,
                creditor=payment.creditor,
                text=payment.text,
            )
            for payment in paid
        ],
    )
    write_whole(path, write_instruction(message))
