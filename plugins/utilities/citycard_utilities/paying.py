"""Pay a bill from an online account: noted, charged, finished; each step again without harm.

A payment that is noted keeps everybody else from paying the same bill online. One that was broken off
between its steps is finished when it is asked for again, or by the job that looks after them.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard import CitycardError, percent_of
from citycard.store import reading, writing
from citycard.wallet import find_account
from citycard_utilities.errors import (
    BillBusy,
    BillSettled,
    BillUnknown,
    PaymentDeclined,
    ReceiptUnknown,
    RequestDiffers,
)
from citycard_utilities.receipts import (
    ACCOUNT,
    DONE,
    OPEN,
    PENDING,
    REFUSED,
    Divided,
    divide,
    return_id,
    return_row,
    settle_bills,
    standings,
    tell,
)
from citycard_utilities.rules import BILL, late_fen
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import bill, receipt, returned

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.charging import Charge

__all__ = ["ReceiptView", "finish_pending", "pay_bill", "receipt_of", "receipt_owner"]

_BASIS_POINTS = 10_000


@attrs.frozen(kw_only=True)
class ReceiptView:
    """Money that came in for a bill, and what it did; ``reason`` says why some was too much, or refused.

    ``amount_fen`` is what paid the bill (``applied_fen``, of it ``late_fen`` for being late), what is kept
    for the next one, what went back or is on its way, and what still waits for a bill.
    """

    id: str
    channel: str
    biller: str
    bill: str
    household: str
    amount_fen: int
    applied_fen: int
    late_fen: int
    credited_fen: int
    returned_fen: int
    open_fen: int
    state: str
    at: dt.datetime
    run: int | None
    reason: str

    @classmethod
    def of(cls, row: Any) -> ReceiptView:
        """Read a row of receipts."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


def pay_bill(
    city: City,
    settings: UtilitySettings,
    identity: UUID,
    number: str,
    biller: str,
    wanted: str,
    *,
    channel: str = ACCOUNT,
    actor: str = "",
) -> ReceiptView:
    """Pay what a bill costs now, all of it, from an online account; once for each ``identity``.

    ``number`` is that of the account, or of the card it hangs on. Raise BillUnknown, BillSettled, BillBusy,
    RequestDiffers, OnlineAccountUnknown, or PaymentDeclined with the reason; the same again under the id.
    """
    row = _noted(city, settings, identity, number, biller, wanted, channel)
    if row.state == DONE:
        return ReceiptView.of(row)
    if row.state == REFUSED:
        raise PaymentDeclined(bill=wanted, reason=row.reason)
    return _finish(city, settings, row, actor)


def finish_pending(city: City, settings: UtilitySettings) -> int:
    """Finish payments that were broken off a while ago, and say how many."""
    before = city.now_local() - dt.timedelta(minutes=settings.pending_minutes)
    query = select(receipt).where(receipt.c.state == PENDING, receipt.c.at <= before)
    with reading(city.engine) as conn:
        rows = conn.execute(query.order_by(receipt.c.at)).all()
    for row in rows:
        try:
            _finish(city, settings, row, "utilities")
        except PaymentDeclined:
            continue
    return len(rows)


def receipt_of(conn: Connection, identity: str) -> ReceiptView:
    """Give a receipt; raise ReceiptUnknown."""
    row = conn.execute(select(receipt).where(receipt.c.id == identity)).one_or_none()
    if row is None:
        raise ReceiptUnknown(receipt=identity[:40])
    return ReceiptView.of(row)


def receipt_owner(conn: Connection, identity: str) -> tuple[str, str]:
    """Give the card that paid a receipt and the biller that got it; raise ReceiptUnknown."""
    query = select(receipt.c.asn, receipt.c.biller).where(receipt.c.id == identity)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise ReceiptUnknown(receipt=identity[:40])
    return row.asn, row.biller


def _noted(
    city: City, settings: UtilitySettings, identity: UUID, number: str, biller: str, wanted: str, channel: str
) -> Any:
    """Note a payment before any money moves, and give its row: pending, or what became of it."""
    payee = settings.biller(biller)
    known = select(receipt).where(receipt.c.id == str(identity))
    with writing(city.engine) as conn:
        account = find_account(conn, number)
        # The bill is held first: the same request may be noting itself at this moment.
        standing = standings(conn, settings.billers, [(biller, wanted)]).get((biller, wanted))
        row = conn.execute(known).one_or_none()
        if row is not None:
            asked = {"account": account.number, "biller": biller, "bill": wanted}
            for field, value in asked.items():
                if getattr(row, field) != value:
                    raise RequestDiffers(id=identity, what="payment", field=field)
            return row
        if standing is None:
            raise BillUnknown(biller=biller, bill=wanted[:40])
        if standing.state != OPEN or not standing.rest_fen:
            raise BillSettled(bill=wanted, biller=biller, state=standing.state)
        busy = select(receipt.c.id).where(
            receipt.c.biller == biller, receipt.c.bill == wanted, receipt.c.state == PENDING
        )
        other = conn.scalar(busy)
        if other is not None:
            raise BillBusy(bill=wanted, biller=biller, payment=other)
        at = city.now_local()
        late = late_fen(settings, standing.kind, standing.rest_fen, standing.due, at.date())
        amount_fen = standing.rest_fen + late
        noted = dict.fromkeys(("applied_fen", "credited_fen", "returned_fen", "open_fen"), 0) | {
            "id": str(identity),
            "channel": channel,
            "biller": biller,
            "bill": wanted,
            "household": standing.household,
            "asn": account.asn,
            "account": account.number,
            "amount_fen": amount_fen,
            "late_fen": late,
            "fee_fen": percent_of(amount_fen, payee.fee_bp, denominator=_BASIS_POINTS),
            "state": PENDING,
            "at": at,
            "run": None,
            "reason": "",
        }
        conn.execute(insert(receipt), noted)
        return conn.execute(known).one()


def _finish(city: City, settings: UtilitySettings, row: Any, actor: str) -> ReceiptView:
    try:
        charged = _charged(city, settings, row, actor)
    except CitycardError as refused:
        paid_fen = _refused(city, row, str(refused)[:300], actor)
        if paid_fen is not None:
            return _done(city, settings, row.id, paid_fen)
        with reading(city.engine) as conn:
            reason = conn.scalar(select(receipt.c.reason).where(receipt.c.id == row.id))
        raise PaymentDeclined(bill=row.bill, reason=reason) from refused
    return _done(city, settings, row.id, charged.amount_fen)


def _charged(city: City, settings: UtilitySettings, row: Any, actor: str) -> Charge:
    from citycard.city.charging import Onward, charge

    payee = settings.biller(row.biller)
    with reading(city.engine) as conn:
        due = conn.scalar(select(bill.c.due).where(bill.c.biller == payee.id, bill.c.number == row.bill))
    return charge(
        city,
        UUID(row.id),
        row.account,
        service=BILL,
        partner=row.biller,
        list_price_fen=row.amount_fen - row.late_fen,
        facts={"kind": payee.kind, "due": due},
        onward=[Onward.fee(row.fee_fen)] if row.fee_fen else [],
        note=f"{row.biller} {row.bill}",
        actor=actor,
    )


def _refused(city: City, row: Any, reason: str, actor: str) -> int | None:
    """Note that a payment was refused, unless money moved for it: then give how much.

    The same payment may be on its way in another request: its id is given up in the same transaction, so
    that our answer is the wallet's, and both are the same for ever.
    """
    from citycard.city.charging import give_up_charge

    with writing(city.engine) as conn:
        paid = give_up_charge(city, conn, UUID(row.id), number=row.account, actor=actor)
        if paid is not None:
            return paid.amount_fen
        mine = (receipt.c.id == row.id) & (receipt.c.state == PENDING)
        conn.execute(update(receipt).where(mine).values(state=REFUSED, reason=reason))
        return None


def _done(city: City, settings: UtilitySettings, identity: str, amount_fen: int) -> ReceiptView:
    """Let the money of a payment pay its bill; what the bill no longer needs goes back to the account."""
    with writing(city.engine) as conn:
        mine = receipt.c.id == identity
        row = conn.execute(select(receipt).where(mine).with_for_update()).one()
        if row.state != PENDING:
            return ReceiptView.of(row)
        standing = standings(conn, settings.billers, [(row.biller, row.bill)])[row.biller, row.bill]
        parts = _parts(row, amount_fen, standing.rest_fen)
        standing.settle(parts.principal_fen)
        settle_bills(conn, [standing])
        values = {
            "state": DONE,
            "amount_fen": amount_fen,
            "applied_fen": parts.late_fen + parts.principal_fen,
            "late_fen": parts.late_fen,
            "returned_fen": parts.surplus_fen,
            "reason": "paid twice" if parts.surplus_fen else "",
        }
        conn.execute(update(receipt).where(mine).values(values))
        if parts.surplus_fen:
            back = return_row(
                return_id(identity, "double"),
                identity,
                (row.biller, row.bill),
                parts.surplus_fen,
                cause="double",
                reason="paid twice",
                at=city.now_local(),
            )
            conn.execute(insert(returned), back)
        done = conn.execute(select(receipt).where(mine)).one()
        tell(conn, [done._asdict()])
        return ReceiptView.of(done)


def _parts(row: Any, amount_fen: int, rest_fen: int) -> Divided:
    """Divide what was charged; what it was more than noted is a late fee that grew since."""
    return divide(amount_fen, rest_fen, max(0, amount_fen - (row.amount_fen - row.late_fen)))
