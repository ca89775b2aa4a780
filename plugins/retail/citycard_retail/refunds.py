"""Voids and refunds: money of a sale goes back, and the fee with it as the merchant's tier says.

What an online account paid goes back to it. What a purse paid is given back as the core gives back a till's
record: it is owed to the card and loaded when it is next held to a reader, or goes to its account, or is
paid at the desk. Each partner then has what is right, to the fen: where the shares of the core's refund are
not the fee that the tier gives back, the difference moves between the merchant and who gets the fees.

What moves it is imported by whoever gives back: endpoints are declared without it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select, update

from citycard.errors import CitycardError, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import TransferCode
from citycard.store import publish, reading, writing
from citycard.wallet import partner_payable
from citycard.wallet.refunds import Destination, find_refund
from citycard.wallet.tables import payment_refund, purchase_refund
from citycard_retail.errors import RetailActDiffers, RetailRefundRefused
from citycard_retail.events import RETURNED
from citycard_retail.fees import fee_after
from citycard_retail.market import Market
from citycard_retail.sales import Sale, fee_onward, find_sale
from citycard_retail.tables import refund, sale

__all__ = [
    "GivenBack",
    "Kind",
    "find_given_back",
    "finish_refunds",
    "refund_sale",
    "refunds_of_sale",
    "void_sale",
]

Kind = Literal["void", "refund"]
_log = logging.getLogger("citycard.retail.refunds")
_REASON = 200
_STALE = timedelta(minutes=1)


@attrs.frozen(kw_only=True)
class GivenBack:
    """What was given back of a sale, and the fee that came back with it; ``to`` says where it went."""

    id: UUID
    sale: UUID
    kind: str
    amount_fen: int
    fee_fen: int
    to: str
    reason: str
    approved_by: str
    actor: str
    state: str
    at: datetime

    @classmethod
    def of(cls, row: Row[Any]) -> GivenBack:
        """Read a row of the table."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


def void_sale(
    market: Market,
    identity: UUID,
    name: str,
    *,
    actor: str = "",
    to: Destination | None = None,
    any_day: bool = False,
) -> GivenBack:
    """Take a whole sale back of which nothing was given back; once for each ``identity``.

    What was paid online is voided on its own day, but for a POS's reversal, which comes on ``any_day``. The
    sale of a till is voided by the till's record, in which the card takes part (``closing``).
    """
    found = find_sale(market, name)
    today = market.city.now_local().date()
    if found.channel == "online" and not any_day and found.at.date() != today:
        reason = "it is of another day: refund it instead of voiding it"
        raise RetailRefundRefused(id=name, reason=reason)
    return _begin_and_move(
        market,
        identity,
        found,
        found.amount_fen,
        "void",
        to=to,
        reason="void",
        approved_by="the card" if found.channel == "offline" else actor or "the merchant",
        actor=actor,
    )


def refund_sale(
    market: Market,
    identity: UUID,
    name: str,
    amount_fen: int | None = None,
    *,
    reason: str,
    approved_by: str,
    actor: str = "",
    to: Destination | None = None,
) -> GivenBack:
    """Give back a sale, all that is left of it or a part; once for each ``identity``.

    Raise SaleUnknown, RetailRefundRefused, RetailActDiffers, and what the core refuses.
    """
    found = find_sale(market, name)
    wanted_fen = found.left_fen if amount_fen is None else amount_fen
    if amount_fen is None:
        with reading(market.city.engine) as conn:
            known = find_given_back(conn, identity)
        wanted_fen = known.amount_fen if known is not None else wanted_fen
    return _begin_and_move(
        market,
        identity,
        found,
        wanted_fen,
        "refund",
        to=to,
        reason=reason,
        approved_by=approved_by,
        actor=actor,
    )


def finish_refunds(market: Market) -> int:
    """Move the money of what was begun and broken off, and return how many were finished."""
    before = market.city.now_local() - _STALE
    query = select(refund).where(refund.c.state == "begun", refund.c.at <= before)
    with reading(market.city.engine) as conn:
        waiting = [GivenBack.of(row) for row in conn.execute(query.order_by(refund.c.at, refund.c.id))]
    finished = 0
    for one in waiting:
        try:
            moved = _move(market, one, find_sale(market, str(one.sale)))
        except CitycardError:
            continue
        finished += moved.state == "done"
    return finished


def refunds_of_sale(conn: Connection, identity: UUID) -> tuple[GivenBack, ...]:
    """Give what was given back of a sale, oldest first."""
    query = select(refund).where(refund.c.sale == identity).order_by(refund.c.at, refund.c.id)
    return tuple(map(GivenBack.of, conn.execute(query)))


def _begin_and_move(
    market: Market,
    identity: UUID,
    found: Sale,
    amount_fen: int,
    kind: Kind,
    *,
    to: Destination | None,
    reason: str,
    approved_by: str,
    actor: str,
) -> GivenBack:
    where = _where(found, to)
    for field, text in (("reason", reason), ("approved_by", approved_by)):
        if not text.strip() or len(text) > (_REASON if field == "reason" else _REASON // 2):
            raise RetailRefundRefused(
                id=found.purchase, reason=Phrase("{field} is missing, or too long", field=field)
            )
    with writing(market.city.engine) as conn:
        held = conn.execute(select(sale).where(sale.c.id == found.id).with_for_update()).one()
        known = find_given_back(conn, identity)
        if known is not None:
            same = (found.id, kind, amount_fen, where.value) == (
                known.sale,
                known.kind,
                known.amount_fen,
                known.to,
            )
            if not same:
                raise RetailActDiffers(id=identity, kind="refund")
            if known.state == "refused":
                raise RetailRefundRefused(id=found.purchase, reason="this was refused before: make a new id")
        else:
            known = _begin(
                market, conn, identity, Sale.of(held), amount_fen, kind, where, reason, approved_by, actor
            )
    return known if known.state == "done" else _move(market, known, found)


def _begin(
    market: Market,
    conn: Connection,
    identity: UUID,
    now: Sale,
    amount_fen: int,
    kind: Kind,
    where: Destination,
    reason: str,
    approved_by: str,
    actor: str,
) -> GivenBack:
    """Write down what goes back and keep it from the sale, under whose lock this happens."""
    if now.state != "paid":
        raise RetailRefundRefused(id=now.purchase, reason="it was not paid")
    if kind == "void" and now.returned_fen:
        raise RetailRefundRefused(id=now.purchase, reason="a part of it was given back: refund the rest")
    if not 0 < amount_fen <= now.left_fen:
        told = Phrase(
            "{left_fen} fen of it are left, {amount_fen} are wanted",
            left_fen=now.left_fen,
            amount_fen=amount_fen,
        )
        raise RetailRefundRefused(id=now.purchase, reason=told)
    tier = market.settings.tier_named(now.tier)
    fee_now = now.fee_fen - now.returned_fee_fen
    left = fee_after(tier, fee_now, now.left_fen, amount_fen, void=kind == "void")
    made = GivenBack(
        id=identity,
        sale=now.id,
        kind=kind,
        amount_fen=amount_fen,
        fee_fen=fee_now - left,
        to=where.value,
        reason=reason,
        approved_by=approved_by,
        actor=actor,
        state="begun",
        at=market.city.now_local(),
    )
    conn.execute(insert(refund), attrs.asdict(made))
    conn.execute(
        update(sale)
        .where(sale.c.id == now.id)
        .values(
            returned_fen=now.returned_fen + amount_fen,
            returned_fee_fen=now.returned_fee_fen + made.fee_fen,
        )
    )
    return made


def _where(found: Sale, to: Destination | None) -> Destination:
    if found.channel == "online":
        if to not in {None, Destination.ACCOUNT}:
            raise RetailRefundRefused(
                id=found.purchase, reason="an account paid it: it goes back to the account"
            )
        return Destination.ACCOUNT
    if to is Destination.BANK:
        raise RetailRefundRefused(id=found.purchase, reason="give it to the purse, to an account, or in cash")
    return to or Destination.PURSE


def _move(market: Market, given: GivenBack, found: Sale) -> GivenBack:
    """Move the money, which happens once; where the core refuses, the sale has it again.

    What the core gave back is never refused afterwards, whatever is in the way of the rest: it waits, and is
    finished later.
    """
    try:
        if found.channel == "online":
            _move_online(market, given, found)
        else:
            _move_offline(market, given, found)
    except CitycardError as refused:
        if _is_given(market, given, found):
            _log.warning("refund %s was given, and waits to be finished: %s", given.id, refused)
            return given
        _end(market, given, found, "refused")
        raise
    return _end(market, given, found, "done")


def _is_given(market: Market, given: GivenBack, found: Sale) -> bool:
    """Say whether the core gave the money back under this id."""
    table = payment_refund if found.channel == "online" else purchase_refund
    with reading(market.city.engine) as conn:
        return conn.scalar(select(table.c.id).where(table.c.id == given.id)) is not None


def _move_online(market: Market, given: GivenBack, found: Sale) -> None:
    from citycard.city.charging import give_back

    if _is_given(market, given, found):
        return
    give_back(
        market.city,
        given.id,
        UUID(found.purchase),
        given.amount_fen,
        onward=fee_onward(market, given.fee_fen),
        note=given.reason[:100],
        actor=given.actor,
    )


def _move_offline(market: Market, given: GivenBack, found: Sale) -> None:
    from citycard.city.refunds import give_refund, purchase_of

    city, fees = market.city, market.settings.fees_partner
    if not _is_given(market, given, found):
        give_refund(
            city,
            given.id,
            purchase_of(city, found.purchase),
            given.amount_fen,
            Destination(given.to),
            reason=given.reason,
            approved_by=given.approved_by,
            evidence=f"{given.kind} {given.id}",
            actor=given.actor or "retail",
        )
    with reading(city.engine) as conn:
        done = find_refund(conn, given.id)
    taken_fen = sum(part.amount_fen for part in done.parts if part.partner == fees)
    more_fen = given.fee_fen - taken_fen
    if not more_fen:
        return
    to_merchant = (partner_payable(fees), partner_payable(found.partner))
    debit, credit = to_merchant if more_fen > 0 else to_merchant[::-1]
    moved = city.wallet.transfer(
        derived_id("retail fee", given.id),
        debit,
        credit,
        abs(more_fen),
        int(TransferCode.FEE),
        ref=f"refund/{given.id}",
    )
    # Of the moment when the refund was begun: asked for again, it is the same transfer.
    moved = attrs.evolve(moved, event_time=given.at, business_date=given.at.date())
    with writing(city.engine) as conn:
        if not city.ledger.find(conn, [moved.id]):
            city.ledger.post_all(conn, [moved])


def _end(market: Market, given: GivenBack, found: Sale, state: str) -> GivenBack:
    with writing(market.city.engine) as conn:
        held = conn.execute(select(sale).where(sale.c.id == found.id).with_for_update()).one()
        mine = update(refund).where(refund.c.id == given.id, refund.c.state == "begun")
        if conn.execute(mine.values(state=state)).rowcount:
            if state == "refused":
                conn.execute(
                    update(sale)
                    .where(sale.c.id == found.id)
                    .values(
                        returned_fen=held.returned_fen - given.amount_fen,
                        returned_fee_fen=held.returned_fee_fen - given.fee_fen,
                    )
                )
            else:
                body = {
                    "sale": found.purchase,
                    "partner": found.partner,
                    "card": found.asn,
                    "kind": given.kind,
                    "amount_fen": given.amount_fen,
                }
                publish(conn, RETURNED, [body], at=market.city.clock.now())
        known = find_given_back(conn, given.id)
        assert known is not None
        return known


def find_given_back(conn: Connection, identity: UUID) -> GivenBack | None:
    """Give what was given back under an id, None when nothing was."""
    row = conn.execute(select(refund).where(refund.c.id == identity)).one_or_none()
    return None if row is None else GivenBack.of(row)
