"""Orders that are paid online: made, looked after until they are over, and told of by the provider.

Every step is written down before the next party is asked, so that whatever breaks off is gone on with by
``look_after_due``, in this process or another, without a person.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from citycard import registry
from citycard.city.providing import has_provider
from citycard.errors import (
    CitycardError,
    NotificationRefused,
    OrderElsewhere,
    OrderInvalid,
    OrderRefused,
    Phrase,
    ProviderRefused,
)
from citycard.ids import derived_id
from citycard.provider import NewPayment, PaymentReport, PaymentState, RefundState
from citycard.provider.signing import PATIENCE_S
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.wallet.enforcing import refuse_over
from citycard.wallet.limits import ActKind
from citycard.wallet.online import find_account, hold_account
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.orderbook import (
    add_order,
    change_order,
    due_orders,
    find_order,
    hold_order,
    live_orders_of_account,
    uncollected_orders,
)
from citycard.wallet.orders import order_closed, order_paid, order_refunded, refund_order
from citycard.wallet.tables import payment_nonce

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["look_after", "look_after_due", "notified", "order_top_up", "refund_uncollected", "send_back"]

_log = logging.getLogger("citycard.orders")
_FIRST_LOOK_S, _LONGEST_S = 10, 600
#: No week or month that a limit counts over began longer ago.
_LONGEST_PERIOD = dt.timedelta(days=32)
_IN_USE = frozenset({CardStatus.STOCK, CardStatus.ISSUED})


def order_top_up(
    city: City,
    identity: UUID,
    asn: str,
    amount_fen: int,
    *,
    account: str = "",
    agreement: str = "",
    actor: str = "",
) -> PaymentOrder:
    """Make an order for a card's purse, or for an online account, and give it with where it is paid.

    Asked again under the same id it is the same order. Raise RegistryMissing, OrderInvalid (for more than a
    purse may hold, too), OrderConflict, OrderRefused for a card that is not in use, OnlineAccountUnknown and
    AccountNotOpen for an account that takes nothing, LimitExceeded for one into which this would be too much:
    nothing was ordered then. Raise ProviderUnavailable: then the order stands, and asking again gives it.
    """
    now = city.clock.now()
    wanted = PaymentOrder(
        id=identity,
        provider=city.provider.name,
        asn=asn,
        account=account,
        amount_fen=amount_fen,
        agreement=agreement,
        actor=actor,
        created_at=now,
        expires_at=now + dt.timedelta(minutes=city.config.topup.order_minutes),
        look_at=now + dt.timedelta(seconds=_FIRST_LOOK_S),
    )
    limit_fen = None if account else city.issuing.purse_limit_fen(asn)
    with writing(city.engine) as conn:
        status = registry.find_card(conn, asn).status
        if status not in _IN_USE:
            raise OrderRefused(
                order=identity,
                state="not made",
                reason=Phrase("card {asn} is {status}", asn=asn, status=status),
            )
        if account:
            find_account(conn, account).must_take()
        order = add_order(conn, wanted)
        if account and order is wanted:
            _refuse_over_limits(city, conn, order)
        if order is wanted and limit_fen is not None and amount_fen > limit_fen:
            expected = Phrase(
                "{limit_fen} fen or less, the most that the purse of card {asn} may hold",
                limit_fen=limit_fen,
                asn=asn,
            )
            raise OrderInvalid(field="amount_fen", value=amount_fen, expected=expected)
    return _created(city, order) if order.state is OrderState.CREATED else order


def look_after_due(city: City) -> int:
    """Look after every order whose time has come, and say how many were; without a provider there are none.

    One that goes wrong is asked about again later, each time after a longer pause.
    """
    if not has_provider(city):
        return 0
    with reading(city.engine) as conn:
        due = due_orders(conn, city.clock.now())
    for order in due:
        try:
            look_after(city, order.id)
        except CitycardError as error:
            _log.warning("order %s: %s", order.id, error)
            _put_off(city, order.id, str(error))
        except SQLAlchemyError as error:
            # The store cannot keep what was heard of this one; that holds up none of the others.
            _log.exception("order %s", order.id)
            _put_off(city, order.id, f"the store did not take its step: {type(error).__name__}")
    return len(due)


def look_after(city: City, identity: UUID) -> PaymentOrder:
    """Ask the provider what became of an order that is not over, and take the step that follows.

    Raise OrderElsewhere when the city has another provider than the order's, which knows nothing of it.
    """
    with reading(city.engine) as conn:
        order = find_order(conn, identity)
    _refuse_elsewhere(city, order)
    if order.state is OrderState.CREATED:
        return _look_after_unpaid(city, order)
    if order.state is OrderState.REFUNDING:
        return _look_after_refund(city, order)
    return order


def notified(city: City, provider: str, path: str, headers: Mapping[str, str], body: bytes) -> PaymentOrder:
    """Take a provider's notification, each message once.

    Raise NotificationRefused, OrderUnknown, and OrderElsewhere for an order of another provider.
    The message is remembered in the step that it leads to: when that fails, it may be sent again.
    """
    if provider != city.provider.name:
        raise NotificationRefused(
            reason=Phrase("there is no provider {provider!r} here", provider=provider[:40])
        )
    told = city.provider.read_notification(path, headers, body)
    try:
        identity = UUID(hex=told.report.number)
    except ValueError:
        raise NotificationRefused(reason="it is about no order of this city") from None
    now = city.clock.now()
    with writing(city.engine) as conn:
        seen = (payment_nonce.c.provider == provider) & (payment_nonce.c.nonce == told.nonce)
        if conn.execute(select(payment_nonce).where(seen)).first() is not None:
            raise NotificationRefused(reason="it came before")
        old = now - dt.timedelta(seconds=2 * PATIENCE_S)
        conn.execute(delete(payment_nonce).where(payment_nonce.c.seen_at < old))
        conn.execute(insert(payment_nonce), {"provider": provider, "nonce": told.nonce, "seen_at": now})
        order = find_order(conn, identity)
        _refuse_elsewhere(city, order)
        if told.report.state is not PaymentState.PAID:
            return order
        return order_paid(
            conn,
            city.ledger,
            identity,
            transaction=told.report.transaction,
            amount_fen=told.report.amount_fen,
            at=city.now_local(),
        )


def send_back(city: City, identity: UUID, reason: str) -> PaymentOrder:
    """Refund an order that is paid and that no load reserves; the provider is asked at once."""
    with writing(city.engine) as conn:
        _refuse_elsewhere(city, find_order(conn, identity))
        order = refund_order(conn, city.ledger, identity, reason)
    return look_after(city, identity) if order.state is OrderState.REFUNDING else order


def refund_uncollected(city: City) -> list[PaymentOrder]:
    """Refund the orders that were paid long ago and whose card never came to a reader."""
    before = city.clock.now() - dt.timedelta(days=city.config.topup.collect_days)
    with reading(city.engine) as conn:
        waiting = uncollected_orders(conn, before)
    refunded = []
    for order in waiting:
        reason = f"its card came to no reader for {city.config.topup.collect_days} days"
        with writing(city.engine) as conn:
            held = hold_order(conn, order.id)
            if held.state is OrderState.PAID and held.load is None:
                refunded.append(refund_order(conn, city.ledger, order.id, reason))
    return refunded


# ── the steps ────────────────────────────────────────────────────────────────────────────────────


def _refuse_over_limits(city: City, conn: Connection, order: PaymentOrder) -> None:
    """Refuse a new order while that costs nothing: what is paid is not sent back for a limit's sake."""
    account = hold_account(conn, find_account(conn, order.account).number)
    names = {account.number, account.asn}
    others = live_orders_of_account(conn, names, order.created_at - _LONGEST_PERIOD)
    before = [
        (one.created_at.astimezone(city.timezone).replace(tzinfo=None), one.amount_fen)
        for one in others
        if one.id != order.id
    ]
    refuse_over(conn, city.wallet, account.number, ActKind.TOP_UP, order.amount_fen, before)


def _refuse_elsewhere(city: City, order: PaymentOrder) -> None:
    """Let no provider be asked about an order of another one: it would not know it, or make it again."""
    if not order.state.over and order.provider != city.provider.name:
        raise OrderElsewhere(order=order.id, provider=order.provider, now=city.provider.name)


def _created(city: City, order: PaymentOrder) -> PaymentOrder:
    if order.pay_url:
        return order
    section = city.config.topup.provider
    wanted = NewPayment(
        number=order.number,
        amount_fen=order.amount_fen,
        description=f"{city.config.city.name}: top-up of card …{order.asn[-4:]}",
        notify_url=section.notify_url if section is not None else "",
        expires_at=order.expires_at,
        agreement=order.agreement,
    )
    try:
        report = city.provider.create(wanted)
    except ProviderRefused as refused:
        with writing(city.engine) as conn:
            closed = order_closed(conn, city.ledger, order.id)
            change_order(conn, closed, trouble=str(refused)[:200])
        raise
    return _heard(city, order, report)


def _heard(city: City, order: PaymentOrder, report: PaymentReport) -> PaymentOrder:
    """Take the step that follows from what the provider says of an order that is not paid here."""
    with writing(city.engine) as conn:
        if report.state is PaymentState.PAID:
            return order_paid(
                conn,
                city.ledger,
                order.id,
                transaction=report.transaction,
                amount_fen=report.amount_fen,
                at=city.now_local(),
            )
        if report.state is PaymentState.CLOSED:
            return order_closed(conn, city.ledger, order.id)
        held = hold_order(conn, order.id)
        if held.state is not OrderState.CREATED:
            return held
        return change_order(
            conn,
            held,
            pay_url=report.pay_url or held.pay_url,
            looks=held.looks + 1,
            look_at=_next_look(city, held.looks, held.expires_at),
        )


def _look_after_unpaid(city: City, order: PaymentOrder) -> PaymentOrder:
    over = order.expires_at <= city.clock.now()
    report = city.provider.query(order.number)
    if over and report.state is not PaymentState.PAID:
        report = city.provider.close(order.number)
    elif report.state is PaymentState.UNKNOWN:
        return _created(city, order)
    return _heard(city, order, report)


def _look_after_refund(city: City, order: PaymentOrder) -> PaymentOrder:
    refund = derived_id("refund of order", order.id).hex
    state = city.provider.query_refund(refund)
    if state is RefundState.UNKNOWN:
        state = city.provider.refund(order.number, refund, order.amount_fen)
    with writing(city.engine) as conn:
        if state is RefundState.DONE:
            return order_refunded(conn, city.ledger, order.id, at=city.now_local())
        held = hold_order(conn, order.id)
        return change_order(conn, held, looks=held.looks + 1, look_at=_next_look(city, held.looks, None))


def _put_off(city: City, identity: UUID, trouble: str) -> None:
    with writing(city.engine) as conn:
        held = hold_order(conn, identity)
        if held.look_at is not None:
            later = _next_look(city, held.looks, None)
            change_order(conn, held, trouble=trouble[:200], looks=held.looks + 1, look_at=later)


def _next_look(city: City, looks: int, expires_at: dt.datetime | None) -> dt.datetime:
    """Say when to ask next: after ever longer pauses, and as soon as an order cannot be paid any more."""
    now = city.clock.now()
    pause_s = min(_FIRST_LOOK_S * 2 ** min(looks, 10), _LONGEST_S)
    later = now + dt.timedelta(seconds=pause_s)
    return later if expires_at is None or expires_at <= now else min(later, expires_at)
