"""What is owed for cards that were given up: fixed when their last taps came in, then loaded or paid out.

The shadow of such a card is zero from then on. A tap that arrives later still takes its money
from it; ``settle_due`` then makes it good out of ``loss/late-taps``, so that it is seen there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard import registry
from citycard.bank import BankAccount, Payment, PaymentKind, order_payment
from citycard.city.cardmoney import CardMoney
from citycard.clearing.spent import spent_fen
from citycard.errors import CardNotOwed, Phrase
from citycard.ids import new_id
from citycard.ledger.tables import account, balance
from citycard.registry import CardClosing, ClosingState
from citycard.store import reading, writing
from citycard.store.bulk import select_in
from citycard.wallet.addresses import card_purse, card_refund
from citycard.wallet.load import Load, LoadState, Proof, refund_agent
from citycard.wallet.loadbook import keep, loads_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["SettledClosings", "load_is_open", "paid_out_at", "pay_out", "settle_card", "settle_due"]

_PAID_OUT = "paid-out"


@attrs.frozen(kw_only=True)
class SettledClosings:
    """What ``settle_due`` did: closings whose day had come, and those that had to be put right since."""

    due: int = 0
    put_right: int = 0


def settle_due(city: City, *, actor: str) -> SettledClosings:
    """Fix what is owed for every card whose last taps have come in, and put right what came later.

    Each card is one transaction: broken off at any point, the next call goes on.
    """
    today = city.now_local().date()
    with reading(city.engine) as conn:
        waiting = registry.closings(conn, ClosingState.WAITING, due_by=today)
    due = sum(_fix(city, each.asn, actor) for each in waiting)
    with reading(city.engine) as conn:
        late = _out_of_balance(city, conn)
    return SettledClosings(due=due, put_right=sum(_put_right(city, asn, actor) for asn in late))


def settle_card(city: City, asn: str, *, actor: str) -> None:
    """Do for one card what ``settle_due`` does for all, as a desk needs it before it pays."""
    with reading(city.engine) as conn:
        closing = registry.closing_of(conn, asn)
    if closing is not None and closing.due_on <= city.now_local().date():
        _fix(city, asn, actor)
        _put_right(city, asn, actor)


def pay_out(city: City, asn: str, *, actor: str, creditor: BankAccount | None = None) -> int:
    """Pay what is owed for a card to its holder, and return how much; 0 the second time.

    It is paid in cash, or ordered from the bank where ``creditor`` is given. What the holder owes the city is
    taken first. A card in use may be owed a refund. Raise CardNotOwed before the day of a card that was given
    up, and while a load of what is owed may still turn out to be done.
    """
    with writing(city.engine) as conn:
        closing = _held(conn, asn)
        money = CardMoney(city, conn)
        _check_payable(conn, asn, closing, money.owed_fen(asn))
        taken_fen = money.claim_taken(asn)
        paid_fen = money.paid_out(asn) if creditor is None else _ordered(city, conn, asn, creditor)
        for what, fen in (("claim-taken", taken_fen), (_PAID_OUT, paid_fen)):
            if fen:
                registry.note_events(conn, [asn], what, f"{fen} fen", actor=actor, at=city.clock.now())
        if closing is not None:
            registry.set_closing(conn, asn, ClosingState.SETTLED, closing.owed_fen or 0)
        return paid_fen


def _check_payable(conn: Connection, asn: str, closing: CardClosing | None, owed_fen: int) -> None:
    if closing is None and not owed_fen:
        raise CardNotOwed(asn=asn, reason="it was not given up, and no refund is owed for it")
    if closing is not None and closing.state is ClosingState.WAITING:
        raise CardNotOwed(
            asn=asn, reason=Phrase("its last taps come in until {due_on}", due_on=closing.due_on)
        )
    began = closing.successor if closing is not None and load_is_open(conn, closing) else None
    if closing is None and _open_refunds(conn, asn, refund_agent(asn)):
        began = asn
    if began is not None:
        reason = Phrase(
            "a load onto card {began} began and may be done: see that card again first", began=began
        )
        raise CardNotOwed(asn=asn, reason=reason)


def _ordered(city: City, conn: Connection, asn: str, creditor: BankAccount) -> int:
    """Order a payment of what is owed; a bank that cannot do it gives it back to where it was owed."""
    owed_fen = CardMoney(city, conn).owed_fen(asn)
    if owed_fen <= 0:
        return 0
    at = city.now_local()
    payment = Payment(
        id=new_id(),
        kind=PaymentKind.PAYOUT,
        amount_fen=owed_fen,
        creditor=creditor,
        source=card_refund(asn),
        text=f"what is owed for card {asn}",
    )
    order_payment(conn, city.ledger, payment, event_time=at, business_date=at.date())
    return owed_fen


def paid_out_at(city: City, asn: str) -> dt.datetime | None:
    """Return when what was owed for a card was last paid to its holder, in UTC; None if it never was."""
    with reading(city.engine) as conn:
        paid = [one.at for one in registry.card_events(conn, asn) if one.what == _PAID_OUT]
    return paid[-1] if paid else None


def load_is_open(conn: Connection, closing: CardClosing) -> bool:
    """Say whether a load of what is owed for a card may be on its successor without our knowing it.

    It may not be when the successor was given up as well and its own last taps came in (``_spent_loads``).
    """
    if closing.successor is None:
        return False
    later = registry.closing_of(conn, closing.successor)
    if later is not None and later.state is not ClosingState.WAITING:
        return False
    return bool(_open_refunds(conn, closing.successor, refund_agent(closing.asn)))


def _open_refunds(conn: Connection, asn: str, agent: str) -> list[Load]:
    return [one for one in loads_of(conn, asn) if one.agent == agent and one.proof is Proof.NONE]


def _spent_loads(city: City, conn: Connection, asn: str) -> None:
    """Take a load of what was owed for this card or an earlier one for done, when it spent more than it had.

    The card is not seen any more, so that nothing else can tell. Both moneys are the same holder's.
    """
    earlier = registry.closing_for(conn, asn)
    for payer in (*((earlier.asn,) if earlier is not None else ()), asn):
        if CardMoney(city, conn).purse_fen(asn) >= 0:
            return
        registry.find_closing(conn, payer)  # held: nobody pays out meanwhile what the load takes
        attempts = _open_refunds(conn, asn, refund_agent(payer))
        if not attempts:
            continue
        done = max(attempts, key=lambda one: (one.online_atc, one.amount_fen, str(one.id)))
        others = [one for one in attempts if one.online_atc == done.online_atc and one.id != done.id]
        settled = [one.settled(LoadState.REVERSED, Proof.COUNTER) for one in others]
        keep(conn, city.ledger, [*settled, done.settled(LoadState.PROVEN, Proof.COUNTER)])


def _held(conn: Connection, asn: str) -> CardClosing | None:
    """Hold a card and then its closing, in the order of the office: so no two desks wait for each other."""
    registry.hold_card(conn, asn)
    return registry.find_closing(conn, asn)


def _fix(city: City, asn: str, actor: str) -> int:
    with writing(city.engine) as conn:
        closing = _held(conn, asn)
        if closing is None or closing.state is not ClosingState.WAITING:
            return 0
        with_deposit = closing.successor is None
        _spent_loads(city, conn, asn)
        owed_fen = CardMoney(city, conn).purse_closed(asn, with_deposit=with_deposit)
        state = ClosingState.OWED if owed_fen else ClosingState.SETTLED
        registry.set_closing(conn, asn, state, owed_fen)
        registry.note_events(conn, [asn], "owed", f"{owed_fen} fen", actor=actor, at=city.clock.now())
        return 1


def _put_right(city: City, asn: str, actor: str) -> int:
    """Make a late tap good, owe what arrived late, and note when nothing is owed any more."""
    with writing(city.engine) as conn:
        closing = _held(conn, asn)
        if closing is None or closing.state is ClosingState.WAITING:
            return 0
        money = CardMoney(city, conn)
        late_fen = money.purse_fen(asn)
        money.purse_closed(asn, with_deposit=False)
        money.refund_overdrawn(asn)
        left_fen = money.owed_fen(asn)
        state = ClosingState.OWED if left_fen else ClosingState.SETTLED
        owed_fen = (closing.owed_fen or 0) + max(0, late_fen)
        if late_fen:
            what = "late-taps" if late_fen < 0 else "owed"
            detail = f"{abs(late_fen)} fen"
            registry.note_events(conn, [asn], what, detail, actor=actor, at=city.clock.now())
        if (state, owed_fen) == (closing.state, closing.owed_fen) and not late_fen:
            return 0
        registry.set_closing(conn, asn, state, owed_fen)
        return 1


def _out_of_balance(city: City, conn: Connection) -> list[str]:
    """Give the closed cards whose accounts do not say what their state says."""
    closed = {each.asn: each for each in registry.closings(conn) if each.state is not ClosingState.WAITING}
    addresses = {card_purse(asn): asn for asn in closed} | {card_refund(asn): asn for asn in closed}
    query = select(account.c.address, (balance.c.cr_posted_fen - balance.c.dr_posted_fen).label("fen")).join(
        balance, balance.c.account_id == account.c.id
    )
    found = {row.address: int(row.fen) for row in select_in(conn, query, account.c.address, list(addresses))}
    spent = spent_fen(city.folder, conn, list(closed))
    return [
        asn
        for asn, closing in closed.items()
        if found.get(card_purse(asn), 0) != spent.get(asn, 0)
        or (found.get(card_refund(asn), 0) > 0) is not (closing.state is ClosingState.OWED)
        or found.get(card_refund(asn), 0) < 0
    ]
