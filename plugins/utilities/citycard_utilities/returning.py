"""Give money back: what was too much, what was paid wrongly, what nobody knows a bill for.

What is to go back is noted first, together with what it does to receipt and bill. Then the money moves, under
an id that follows from the note, so that it moves once: a payment of an account back to where it came from,
a card's to the holder's online account or, without one, to what is owed for the card. The job does what was
broken off.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard import CitycardError
from citycard.errors import OnlineAccountUnknown, Phrase, PurchaseRefundUnknown
from citycard.store import publish, reading, writing
from citycard.wallet import AccountStatus, find_account
from citycard.wallet.refunds import Destination, find_refund
from citycard.wallet.tables import payment, payment_refund, purchase_refund
from citycard_utilities.credits import drop_credits, forfeit_credits
from citycard_utilities.errors import BillUnknown, ReceiptUnknown, RequestDiffers, ReversalRefused
from citycard_utilities.events import MONEY_RETURNED
from citycard_utilities.receipts import (
    CARD,
    DONE,
    PENDING,
    UNMATCHED,
    divide,
    return_row,
    settle_bills,
    standings,
)
from citycard_utilities.rules import late_fen
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import receipt, returned

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Return", "assign", "give_returns", "note_moved", "note_refunds", "returns_of", "reverse"]

_CONTENT = ("receipt", "reason", "approved_by")
_LONGEST = 100


@attrs.frozen(kw_only=True)
class Return:
    """Money on its way back, or that went back; ``told`` is what kept it when it was last tried."""

    id: UUID
    receipt: str
    biller: str
    bill: str
    amount_fen: int
    cause: str
    reason: str
    approved_by: str
    actor: str
    state: str
    told: str
    at: dt.datetime

    @classmethod
    def of(cls, row: Any) -> Return:
        """Read a row of returns."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


def returns_of(conn: Connection, *, receipt_id: str = "", pending: bool = False) -> list[Return]:
    """Give returns, oldest first: of a receipt, or those whose money has not moved."""
    query = select(returned).order_by(returned.c.at, returned.c.id)
    if receipt_id:
        query = query.where(returned.c.receipt == receipt_id)
    if pending:
        query = query.where(returned.c.state == PENDING)
    return [Return.of(row) for row in conn.execute(query)]


def reverse(
    city: City,
    settings: UtilitySettings,
    identity: UUID,
    receipt_id: str,
    *,
    reason: str,
    approved_by: str,
    actor: str = "",
) -> Return:
    """Reverse a receipt: its money goes back, and its bill is open again; once for each ``identity``.

    A receipt without a bill is given back in the same way. Raise ReceiptUnknown, CreditSpent when what it was
    too much paid another bill, RequestDiffers, or ReversalRefused.
    """
    for field, text in (("reason", reason), ("approved_by", approved_by)):
        if not text.strip() or len(text) > _LONGEST:
            told = Phrase(
                "{field} is {text!r}: expected 1 to {longest} characters",
                field=field,
                text=text[:40],
                longest=_LONGEST,
            )
            raise ReversalRefused(receipt=receipt_id[:40], reason=told)
    wanted = {"receipt": receipt_id, "reason": reason, "approved_by": approved_by}
    # What a desk gave back meanwhile is not given back again.
    note_refunds(city, settings)
    known = select(returned).where(returned.c.id == identity)
    with writing(city.engine) as conn:
        row = conn.execute(known).one_or_none()
        if row is None:
            held = _held(conn, receipt_id)
            # The same request may have noted it while this one waited for the receipt.
            row = conn.execute(known).one_or_none() or _noted(conn, held, identity, wanted, actor, city)
        for field in _CONTENT:
            if getattr(row, field) != wanted[field]:
                raise RequestDiffers(id=identity, what="reversal", field=field)
    if row.state == PENDING:
        _move(city, row)
    with reading(city.engine) as conn:
        return Return.of(conn.execute(known).one())


def assign(city: City, settings: UtilitySettings, receipt_id: str, bill: str) -> int:
    """Let money that has no bill pay one of its biller's, and give what of it did; again without harm.

    What is more than the bill costs stays open. Raise ReceiptUnknown, BillUnknown or ReversalRefused.
    """
    with writing(city.engine) as conn:
        row = _held(conn, receipt_id)
        if row.state == DONE and row.bill == bill:
            return int(row.applied_fen)
        if row.state != UNMATCHED:
            raise ReversalRefused(receipt=receipt_id, reason="it has a bill already: reverse it")
        standing = standings(conn, settings.billers, [(row.biller, bill)]).get((row.biller, bill))
        if standing is None:
            raise BillUnknown(biller=row.biller, bill=bill[:40])
        if not standing.rest_fen:
            reason = Phrase(
                "bill {bill} is {state}: give the money back, or name another bill",
                bill=bill,
                state=standing.state,
            )
            raise ReversalRefused(receipt=receipt_id, reason=reason)
        late = late_fen(settings, standing.kind, standing.rest_fen, standing.due, row.at.date())
        parts = divide(row.open_fen, standing.rest_fen, late)
        standing.settle(parts.principal_fen)
        settle_bills(conn, [standing])
        values = {
            "bill": bill,
            "household": standing.household,
            "applied_fen": parts.principal_fen + parts.late_fen,
            "late_fen": parts.late_fen,
            "open_fen": parts.surplus_fen,
            "state": UNMATCHED if parts.surplus_fen else DONE,
            "reason": f"assigned to {bill}",
        }
        conn.execute(update(receipt).where(receipt.c.id == receipt_id).values(values))
        return parts.principal_fen + parts.late_fen


def note_moved(
    conn: Connection,
    receipt_id: str,
    amount_fen: int,
    identity: UUID,
    *,
    cause: str,
    reason: str,
    at: dt.datetime,
) -> bool:
    """Note that money of a receipt went back on another way than ours: a dispute, or a refund at a desk.

    What waits to go back is less by it; then what was too much is taken, then what paid the bill, which is
    open again. ``identity`` is that of the refund or adjustment; say whether it is new.
    """
    row = conn.execute(select(receipt).where(receipt.c.id == receipt_id).with_for_update()).one_or_none()
    if row is None or conn.scalar(select(returned.c.id).where(returned.c.id == identity)) is not None:
        return False
    rest_fen = amount_fen - _take_from_waiting(conn, receipt_id, amount_fen)
    if row.credited_fen:
        # What paid another bill meanwhile is the biller's loss: the money is gone all the same.
        forfeit_credits(conn, receipt_id, min(row.credited_fen, max(0, rest_fen - row.open_fen)))
    _take_from(conn, row, rest_fen)
    moved = return_row(
        identity,
        receipt_id,
        (row.biller, row.bill),
        amount_fen,
        cause=cause,
        reason=reason[:200],
        at=at,
        approved_by=cause,
        actor="city",
        state=DONE,
    )
    conn.execute(insert(returned), moved)
    return True


def note_refunds(city: City, settings: UtilitySettings) -> int:
    """Note what desks gave back of receipts with the city's own commands, and say how many."""
    known = select(returned.c.id)
    billers = [biller.id for biller in settings.billers]
    with reading(city.engine) as conn:
        refunds = conn.execute(
            select(purchase_refund.c.id, purchase_refund.c.amount_fen, purchase_refund.c.reason, receipt.c.id)
            .join(receipt, receipt.c.id == purchase_refund.c.purchase)
            .where(purchase_refund.c.id.not_in(known))
        ).all()
        backs = conn.execute(
            select(payment_refund.c.id, payment_refund.c.amount_fen, payment_refund.c.note, payment.c.id)
            .join(payment, payment.c.id == payment_refund.c.payment)
            .where(payment.c.partner.in_(billers), payment_refund.c.id.not_in(known))
        ).all()
    at = city.now_local()
    with writing(city.engine) as conn:
        return sum(
            note_moved(conn, str(name), amount_fen, identity, cause="refunded", reason=reason, at=at)
            for identity, amount_fen, reason, name in (*refunds, *backs)
        )


def give_returns(city: City) -> int:
    """Move the money of every return that waits, and say how many moved; what is refused waits on."""
    with reading(city.engine) as conn:
        rows = conn.execute(select(returned).where(returned.c.state == PENDING).order_by(returned.c.at)).all()
    return sum(_move(city, row) for row in rows)


def _held(conn: Connection, receipt_id: str) -> Any:
    row = conn.execute(select(receipt).where(receipt.c.id == receipt_id).with_for_update()).one_or_none()
    if row is None:
        raise ReceiptUnknown(receipt=receipt_id[:40])
    return row


def _noted(conn: Connection, row: Any, identity: UUID, wanted: dict[str, str], actor: str, city: City) -> Any:
    if row.state not in {DONE, UNMATCHED}:
        raise ReversalRefused(
            receipt=row.id, reason=Phrase("it is {state}: nothing was paid", state=row.state)
        )
    amount_fen = row.applied_fen + row.credited_fen + row.open_fen
    if not amount_fen:
        raise ReversalRefused(receipt=row.id, reason="all of it went back already")
    cause = "unmatched" if row.state == UNMATCHED and not row.applied_fen else "reversed"
    if row.credited_fen:
        drop_credits(conn, row.id)
    _take_from(conn, row, amount_fen)
    back = return_row(
        identity,
        row.id,
        (row.biller, row.bill),
        amount_fen,
        cause=cause,
        reason=wanted["reason"],
        at=city.now_local(),
        approved_by=wanted["approved_by"],
        actor=actor[:100],
    )
    conn.execute(insert(returned), back)
    return conn.execute(select(returned).where(returned.c.id == identity)).one()


def _take_from_waiting(conn: Connection, receipt_id: str, amount_fen: int) -> int:
    """Let what waits to go back of a receipt be less by what went back otherwise; give by how much."""
    taken = 0
    query = select(returned).where(returned.c.receipt == receipt_id, returned.c.state == PENDING)
    for row in conn.execute(query.with_for_update()).all():
        part = min(row.amount_fen, amount_fen - taken)
        taken += part
        values = {"amount_fen": row.amount_fen - part, "state": DONE if part == row.amount_fen else PENDING}
        conn.execute(update(returned).where(returned.c.id == row.id).values(values))
    return taken


def _take_from(conn: Connection, row: Any, amount_fen: int) -> None:
    """Take an amount out of what a receipt does: what is open first, then what is over, then its bill."""
    open_fen = min(row.open_fen, amount_fen)
    credited = min(row.credited_fen, amount_fen - open_fen)
    applied = min(row.applied_fen, amount_fen - open_fen - credited)
    principal = min(applied, row.applied_fen - row.late_fen)
    if principal:
        standing = standings(conn, (), [(row.biller, row.bill)])[row.biller, row.bill]
        standing.settle(-principal)
        settle_bills(conn, [standing])
    values = {
        "open_fen": row.open_fen - open_fen,
        "credited_fen": row.credited_fen - credited,
        "applied_fen": row.applied_fen - applied,
        "late_fen": row.late_fen - (applied - principal),
        "returned_fen": row.returned_fen + open_fen + credited + applied,
        "state": DONE,
    }
    conn.execute(update(receipt).where(receipt.c.id == row.id).values(values))


def _move(city: City, row: Any) -> bool:
    from citycard.city.charging import give_back

    with reading(city.engine) as conn:
        paid = conn.execute(select(receipt).where(receipt.c.id == row.receipt)).one()
    try:
        if paid.channel == CARD:
            _refund(city, row, paid)
        else:
            note, actor = f"bill {row.bill}: {row.cause}", row.actor
            give_back(city, row.id, UUID(row.receipt), row.amount_fen, note=note, actor=actor)
    except CitycardError as kept:
        with writing(city.engine) as conn:
            conn.execute(update(returned).where(returned.c.id == row.id).values(told=str(kept)[:300]))
        return False
    with writing(city.engine) as conn:
        mine = (returned.c.id == row.id) & (returned.c.state == PENDING)
        if conn.execute(update(returned).where(mine).values(state=DONE, told="")).rowcount:
            body = {
                "receipt": row.receipt,
                "biller": row.biller,
                "bill": row.bill,
                "asn": paid.asn,
                "amount_fen": row.amount_fen,
                "cause": row.cause,
            }
            publish(conn, MONEY_RETURNED, [body], at=city.clock.now())
    return True


def _refund(city: City, row: Any, paid: Any) -> None:
    """Give a card's money back; what was given before it was broken off stays where it went then."""
    from citycard.city.refunds import give_refund, purchase_of

    with reading(city.engine) as conn:
        with suppress(PurchaseRefundUnknown):
            find_refund(conn, row.id)
            return
        try:
            account = find_account(conn, paid.asn)
            to_account = account.status is not AccountStatus.CLOSED
        except OnlineAccountUnknown:
            to_account = False
    give_refund(
        city,
        row.id,
        purchase_of(city, row.receipt),
        row.amount_fen,
        Destination.ACCOUNT if to_account else Destination.PURSE,
        reason=f"bill {row.bill}: {row.cause}",
        approved_by=row.approved_by,
        evidence=f"utilities {row.id}",
        actor=row.actor,
        account_number=account.number if to_account else "",
    )
