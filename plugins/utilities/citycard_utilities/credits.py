"""What a household has over at a biller: kept from what was too much, used for its next bill.

No money moves when a credit pays a bill: the biller has had it since it came in. What was paid on a bill
that costs less now, or is withdrawn, becomes a credit or goes back, by the biller's rule.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, delete, insert, select, update

from citycard import derived_id
from citycard.store.bulk import select_in
from citycard_utilities.errors import CreditSpent
from citycard_utilities.receipts import CARD, OPEN, PAID, return_id, return_row
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import bill, credit, credit_use, receipt, returned

__all__ = ["Overpaid", "credit_fen", "drop_credits", "forfeit_credits", "release", "use_credits"]


@attrs.frozen(kw_only=True)
class Overpaid:
    """A bill on which more is settled than it costs now: ``keep_fen`` is what it costs."""

    biller: str
    bill: str
    household: str
    keep_fen: int
    settled_fen: int
    withdrawn: bool
    revision: int


def credit_fen(conn: Connection, biller: str, household: str) -> int:
    """Give what a household has over at a biller."""
    query = select(credit.c.left_fen).where(credit.c.biller == biller, credit.c.household == household)
    return sum(conn.scalars(query))


def use_credits(conn: Connection, biller: str, households: Collection[str], *, at: dt.datetime) -> int:
    """Pay open bills of households out of what they have over, the first due first; give the sum."""
    query = select(credit).where(credit.c.biller == biller, credit.c.left_fen > 0).with_for_update()
    have: dict[str, list[Any]] = defaultdict(list)
    for row in select_in(conn, query, credit.c.household, sorted(households)):
        have[row.household].append(row)
    if not have:
        return 0
    query = select(bill).where(bill.c.biller == biller, bill.c.state == OPEN).with_for_update()
    bills = sorted(
        select_in(conn, query, bill.c.household, sorted(have)), key=lambda one: (one.due, one.number)
    )
    left = {row.id: row.left_fen for rows in have.values() for row in rows}
    used = 0
    for one in bills:
        settled = one.settled_fen
        for row in sorted(have[one.household], key=lambda kept: (kept.at, str(kept.id))):
            part = min(left[row.id], one.amount_fen - settled)
            if part > 0:
                left[row.id] -= part
                settled += part
                _use(conn, row.id, one, part, at)
        if settled != one.settled_fen:
            used += settled - one.settled_fen
            state = PAID if settled >= one.amount_fen else OPEN
            _settle(conn, biller, one.number, settled, state)
    for rows in have.values():
        for row in rows:
            if left[row.id] != row.left_fen:
                conn.execute(update(credit).where(credit.c.id == row.id).values(left_fen=left[row.id]))
    return used


def release(conn: Connection, settings: UtilitySettings, over: Sequence[Overpaid], *, at: dt.datetime) -> int:
    """Free what was paid on bills above what they cost now, the newest money first; give the sum.

    Of a bill that is withdrawn the late fee is freed as well.
    """
    return sum(_release(conn, settings, one, at) for one in over)


def drop_credits(conn: Connection, receipt_id: str) -> int:
    """Take back what a receipt was too much, and give the sum; raise CreditSpent when it paid a bill."""
    rows = conn.execute(select(credit).where(credit.c.receipt == receipt_id).with_for_update()).all()
    spent = sum(row.amount_fen - row.left_fen for row in rows)
    if spent:
        raise CreditSpent(receipt=receipt_id, spent_fen=spent)
    conn.execute(delete(credit).where(credit.c.receipt == receipt_id))
    return sum(row.amount_fen for row in rows)


def forfeit_credits(conn: Connection, receipt_id: str, amount_fen: int) -> int:
    """Take what is left of a receipt's credit, at most an amount, as its money is gone; give the sum."""
    taken = 0
    query = select(credit).where(credit.c.receipt == receipt_id, credit.c.left_fen > 0).with_for_update()
    for row in conn.execute(query).all():
        part = min(row.left_fen, amount_fen - taken)
        taken += part
        values = {"amount_fen": row.amount_fen - part, "left_fen": row.left_fen - part}
        conn.execute(update(credit).where(credit.c.id == row.id).values(values))
    return taken


def _use(conn: Connection, credit_id: Any, one: Any, part_fen: int, at: dt.datetime) -> None:
    mine = (credit_use.c.credit == credit_id) & (credit_use.c.bill == one.number)
    before = conn.scalar(select(credit_use.c.amount_fen).where(mine))
    if before is not None:
        conn.execute(update(credit_use).where(mine).values(amount_fen=before + part_fen))
        return
    row = {"credit": credit_id, "bill": one.number, "biller": one.biller, "amount_fen": part_fen, "at": at}
    conn.execute(insert(credit_use), row)


def _settle(conn: Connection, biller: str, number: str, settled_fen: int, state: str) -> None:
    mine = (bill.c.biller == biller) & (bill.c.number == number)
    conn.execute(update(bill).where(mine).values(settled_fen=settled_fen, state=state))


def _release(conn: Connection, settings: UtilitySettings, over: Overpaid, at: dt.datetime) -> int:
    mine = (receipt.c.biller == over.biller) & (receipt.c.bill == over.bill)
    rows = conn.execute(
        select(receipt).where(mine, receipt.c.applied_fen > 0).order_by(receipt.c.at.desc(), receipt.c.id)
    ).all()
    surplus, freed = over.settled_fen - over.keep_fen, 0
    for row in rows:
        late = row.late_fen if over.withdrawn else 0
        principal = min(row.applied_fen - row.late_fen, surplus)
        part = principal + late
        if part:
            surplus -= principal
            freed += part
            _free(conn, settings, over, row, part, late, at)
    for use in conn.execute(
        select(credit_use).where(credit_use.c.biller == over.biller, credit_use.c.bill == over.bill)
    ).all():
        part = min(use.amount_fen, surplus)
        if part:
            surplus -= part
            freed += part
            _unuse(conn, use, part)
    assert surplus == 0
    state = "withdrawn" if over.withdrawn else PAID
    _settle(conn, over.biller, over.bill, over.keep_fen, state)
    return freed


def _free(
    conn: Connection,
    settings: UtilitySettings,
    over: Overpaid,
    row: Any,
    part_fen: int,
    late_fen: int,
    at: dt.datetime,
) -> None:
    cause = "withdrawn" if over.withdrawn else "replaced"
    back = settings.biller(over.biller).surplus == "give-back" or row.channel != CARD
    field = "returned_fen" if back else "credited_fen"
    values = {
        "applied_fen": row.applied_fen - part_fen,
        "late_fen": row.late_fen - late_fen,
        field: getattr(row, field) + part_fen,
        "reason": f"its bill was {cause}",
    }
    conn.execute(update(receipt).where(receipt.c.id == row.id).values(values))
    if back:
        wanted = return_row(
            return_id(row.id, f"{cause}-{over.revision}"),
            row.id,
            (over.biller, over.bill),
            part_fen,
            cause=cause,
            reason=f"bill {over.bill} was {cause} by its biller",
            at=at,
        )
        conn.execute(insert(returned), wanted)
        return
    kept = {
        "id": derived_id("utilities", "credit", row.id, cause, over.revision),
        "receipt": row.id,
        "biller": over.biller,
        "household": over.household,
        "amount_fen": part_fen,
        "left_fen": part_fen,
        "at": at,
    }
    conn.execute(insert(credit), kept)


def _unuse(conn: Connection, use: Any, part_fen: int) -> None:
    left = select(credit.c.left_fen).where(credit.c.id == use.credit)
    now = (conn.scalar(left) or 0) + part_fen
    conn.execute(update(credit).where(credit.c.id == use.credit).values(left_fen=now))
    mine = (credit_use.c.credit == use.credit) & (credit_use.c.bill == use.bill)
    if part_fen == use.amount_fen:
        conn.execute(delete(credit_use).where(mine))
    else:
        conn.execute(update(credit_use).where(mine).values(amount_fen=use.amount_fen - part_fen))
