"""The steps of an order that is paid online, each with its postings, in the transaction of a connection.

Provider's receivable to in flight when it is paid; in flight to the online account at once, or to the purse
when the card proves the load (``loadmoney``); back to the provider when it is refunded. A step that was taken
is not taken again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from citycard.errors import AccountNotOpen, OnlineAccountUnknown, OrderRefused, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, Guard, TransferCode
from citycard.ledger.following import reversal
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import TOP_UPS_IN_FLIGHT, TRUST_BANK, online_account, provider_receivable
from citycard.wallet.once import post_once
from citycard.wallet.online import find_account, hold_account
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.orderbook import change_order, hold_order

__all__ = [
    "order_closed",
    "order_paid",
    "order_refunded",
    "provider_account",
    "refund_order",
    "settle_provider",
]


def provider_account(provider: str) -> AccountSpec:
    """Give the account of what a payment provider owes the city."""
    return AccountSpec(
        address=provider_receivable(provider), code=AccountCode.PROVIDER_RECEIVABLE, owner=provider
    )


def order_paid(
    conn: Connection, ledger: Ledger, identity: UUID, *, transaction: str, amount_fen: int, at: datetime
) -> PaymentOrder:
    """Take note that the provider has the citizen's money; ``at`` is local. Give the order as it is then.

    Money for an online account is there with the same step. An order that was closed, or whose account does
    not take it, is refunded. Raise OrderRefused when another amount was paid than was ordered.
    """
    order = hold_order(conn, identity)
    if order.state not in {OrderState.CREATED, OrderState.CLOSED}:
        return order
    if amount_fen != order.amount_fen:
        reason = Phrase(
            "the provider says that {amount_fen} fen were paid for {order_fen} fen",
            amount_fen=amount_fen,
            order_fen=order.amount_fen,
        )
        raise OrderRefused(order=identity, state=order.state, reason=reason)
    in_flight = AccountSpec(
        address=TOP_UPS_IN_FLIGHT, code=AccountCode.TOP_UPS_IN_FLIGHT, guard=Guard.DEBITS_WITHIN_CREDITS
    )
    ledger.open_accounts(conn, [provider_account(order.provider), in_flight])
    owed = provider_receivable(order.provider)
    paid = _move(order, "paid", owed, TOP_UPS_IN_FLIGHT, TransferCode.ORDER_PAID, at)
    ledger.post_all(conn, [paid])
    now = ledger.clock.now()
    was_closed = order.state is OrderState.CLOSED
    order = change_order(
        conn,
        order,
        state=OrderState.PAID,
        transaction=transaction,
        paid_at=now,
        ended_at=None,
        look_at=None,
        looks=0,
    )
    if was_closed:
        return refund_order(conn, ledger, identity, "it was paid after it had been closed")
    return order if order.for_purse else _onto_account(conn, ledger, order, at)


def order_closed(conn: Connection, ledger: Ledger, identity: UUID) -> PaymentOrder:
    """Take note that an order cannot be paid any more; one that was paid stays as it is."""
    order = hold_order(conn, identity)
    if order.state is not OrderState.CREATED:
        return order
    return change_order(conn, order, state=OrderState.CLOSED, ended_at=ledger.clock.now(), look_at=None)


def refund_order(conn: Connection, ledger: Ledger, identity: UUID, reason: str) -> PaymentOrder:
    """Send the money of a paid order back, which nothing stops any more; the provider is asked next.

    Raise OrderRefused while a load reserves the money, and for an order that has none.
    """
    order = hold_order(conn, identity)
    if order.state in {OrderState.REFUNDING, OrderState.REFUNDED}:
        return order
    if order.state is not OrderState.PAID:
        raise OrderRefused(order=identity, state=order.state, reason="only one that is paid is refunded")
    if order.load is not None:
        told = "a load with its money began: hold the card to a reader, or wait until it has run out"
        raise OrderRefused(order=identity, state=order.state, reason=told)
    return change_order(
        conn, order, state=OrderState.REFUNDING, trouble=reason[:200], look_at=ledger.clock.now(), looks=0
    )


def order_refunded(conn: Connection, ledger: Ledger, identity: UUID, *, at: datetime) -> PaymentOrder:
    """Take note that the provider gave the money back to the citizen; ``at`` is local."""
    order = hold_order(conn, identity)
    if order.state is not OrderState.REFUNDING:
        return order
    paid_id = derived_id("order paid", identity)
    paid = ledger.find(conn, [paid_id])[paid_id].transfer
    back = reversal(
        paid,
        id=derived_id("order refunded", identity),
        code=TransferCode.ORDER_REFUNDED,
        event_time=at,
        business_date=at.date(),
    )
    ledger.post_all(conn, [back])
    return change_order(conn, order, state=OrderState.REFUNDED, ended_at=ledger.clock.now(), look_at=None)


def settle_provider(
    conn: Connection,
    ledger: Ledger,
    provider: str,
    amount_fen: int,
    *,
    ref: str,
    id: UUID,  # noqa: A002 - the field's own name
    at: datetime,
) -> bool:
    """Take note that a provider paid what it owes into the trust account; say whether it is new.

    ``id`` is made by whoever read it in the bank's statement, and stands for one receipt; ``at`` is local.
    """
    trust = AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)
    ledger.open_accounts(conn, [trust, provider_account(provider)])
    settled = Transfer(
        id=derived_id("provider settled", id),
        debit_address=TRUST_BANK,
        credit_address=provider_receivable(provider),
        amount_fen=amount_fen,
        code=TransferCode.PROVIDER_SETTLED,
        event_time=at,
        business_date=at.date(),
        ref=ref,
    )
    return post_once(conn, ledger, [settled])


def _onto_account(conn: Connection, ledger: Ledger, order: PaymentOrder, at: datetime) -> PaymentOrder:
    try:
        account = hold_account(conn, find_account(conn, order.account).number)
        account.must_take()
    except (AccountNotOpen, OnlineAccountUnknown) as refused:
        return refund_order(conn, ledger, order.id, str(refused))
    target = online_account(account.number)
    moved = _move(order, "delivered", TOP_UPS_IN_FLIGHT, target, TransferCode.ORDER_DELIVERED, at)
    ledger.post_all(conn, [moved])
    return change_order(conn, order, state=OrderState.DELIVERED, ended_at=ledger.clock.now())


def _move(
    order: PaymentOrder, step: str, debit: str, credit: str, code: TransferCode, at: datetime
) -> Transfer:
    return Transfer(
        id=derived_id(f"order {step}", order.id),
        debit_address=debit,
        credit_address=credit,
        amount_fen=order.amount_fen,
        code=code,
        event_time=at,
        business_date=at.date(),
        ref=f"order/{order.id}",
    )
