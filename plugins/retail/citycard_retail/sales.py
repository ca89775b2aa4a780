"""Sales: what a merchant sold and what fee it has, paid from an online account or by a till's record.

What charges, and what clearing accepted, is imported by whoever sells: endpoints are declared without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, exists, select, update

from citycard.errors import CitycardError, OnlineAccountUnknown, PaymentUnknown, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import TransferCode
from citycard.store import publish, reading, writing
from citycard.store.bulk import insert_missing
from citycard.wallet import Payments, find_account, partner_payable
from citycard.wallet.tables import payment
from citycard_retail.errors import RetailActDiffers, RetailValueInvalid, SaleUnknown
from citycard_retail.events import SOLD
from citycard_retail.fees import fee_fen
from citycard_retail.market import Market, digest_of
from citycard_retail.merchants import merchants, tier_on
from citycard_retail.services import NUMBERS, ONLINE, SALE
from citycard_retail.tables import sale

if TYPE_CHECKING:
    from citycard.city.charging import Onward

__all__ = [
    "Sale",
    "begin",
    "fee_onward",
    "find_sale",
    "finish_sales",
    "paid_sale",
    "pay_begun",
    "sale_of_record",
    "sales_of",
    "sell",
    "settled",
]

_NOTE = 100
_STALE = timedelta(minutes=15)
_LATE = timedelta(days=31)


@attrs.frozen(kw_only=True)
class Sale:
    """A sale: what was paid and the fee of it, and what of both came back; ``at`` is local.

    ``channel`` is online or offline; ``purchase`` the id by which the core knows it.
    """

    id: UUID
    purchase: str
    channel: str
    service: str
    partner: str
    asn: str
    tier: str
    amount_fen: int
    fee_fen: int
    returned_fen: int
    returned_fee_fen: int
    note: str
    state: str
    at: datetime

    @property
    def left_fen(self) -> int:
        """Give what was not given back."""
        return self.amount_fen - self.returned_fen

    @classmethod
    def of(cls, row: Row[Any]) -> Sale:
        """Read a row of the table."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


def sell(
    market: Market,
    identity: UUID,
    number: str,
    partner: str,
    amount_fen: int,
    *,
    service: str = ONLINE,
    note: str = "",
    actor: str = "",
) -> Sale:
    """Let an online account pay a merchant, less its fee, once for each ``identity``.

    ``amount_fen`` is what the merchant asks; reductions may make it less. Raise MerchantUnknown,
    OnlineAccountUnknown, RetailActDiffers, RetailValueInvalid for an amount, what the price and the wallet
    refuse, and DebitRefused.
    """
    from citycard.city.charging import price

    city = market.city
    asked = {"partner": partner, "amount_fen": amount_fen, "service": service, "note": note}
    known = _paid_before(market, identity, number, asked)
    if known is not None:
        return known
    if not 0 < amount_fen <= market.settings.most_sale_fen:
        expected = Phrase("1 to {most_sale_fen} fen", most_sale_fen=market.settings.most_sale_fen)
        raise RetailValueInvalid(field="amount_fen", value=amount_fen, expected=expected)
    with reading(city.engine) as conn:
        merchant = merchants(market, conn, partner=partner)[0]
        account = find_account(conn, number)
    facts = {"mcc": market.settings.category(merchant.category).mcc}

    @cache
    def priced() -> int:
        return price(
            city, account.asn, service=service, partner=partner, list_price_fen=amount_fen, facts=facts
        ).amount_fen

    digest = digest_of(asked | {"account": account.number})
    begun = begin(market, identity, partner, account.asn, priced, digest, service=service, note=note)

    def pay() -> int:
        priced()  # what was begun before is paid at its price of then, but only where it is sold still
        return _pay(market, begun, account.number, note=note, actor=actor)

    return pay_begun(market, begun, pay)


def begin(
    market: Market,
    identity: UUID,
    partner: str,
    asn: str,
    amount: Callable[[], int],
    digest: str,
    *,
    service: str,
    note: str,
) -> Sale:
    """Write down what is about to be paid with its fee; of one that was begun before, give that.

    Raise RetailActDiffers when the id stands for something else.
    """
    with reading(market.city.engine) as conn:
        row = _row(conn, sale.c.id, identity)
    if row is None:
        amount_fen = amount()
        at = market.city.now_local()
        with writing(market.city.engine) as conn:
            row = _row(conn, sale.c.id, identity)
            if row is None:
                tier = tier_on(conn, market.settings, partner, at)
                made = Sale(
                    id=identity,
                    purchase=str(identity),
                    channel="online",
                    service=service,
                    partner=partner,
                    asn=asn,
                    tier=tier.name,
                    amount_fen=amount_fen,
                    fee_fen=fee_fen(tier, amount_fen),
                    returned_fen=0,
                    returned_fee_fen=0,
                    note=note[:_NOTE],
                    state="begun",
                    at=at,
                )
                # Who asks for the same at once finds the row of whoever was first.
                insert_missing(conn, sale, [attrs.asdict(made) | {"digest": digest}])
                row = _row(conn, sale.c.id, identity)
    assert row is not None
    if row.digest != digest:
        raise RetailActDiffers(id=identity, kind="sale")
    return Sale.of(row)


def pay_begun(market: Market, begun: Sale, pay: Callable[[], int]) -> Sale:
    """Let what was begun be paid by ``pay``, which does it once and gives how much; note how it ended."""
    if begun.state == "paid":
        return begun
    try:
        amount_fen = pay()
    except CitycardError:
        # What is in the way now does not undo what was paid before.
        known = settled(market, begun)
        if known.state == "paid":
            return known
        _end(market, begun, "refused")
        raise
    return _end(market, begun, "paid", amount_fen)


def settled(market: Market, begun: Sale) -> Sale:
    """Give a sale as it is; one that its account paid is ended as paid, if nobody came to note it."""
    if begun.state == "paid":
        return begun
    try:
        paid = Payments(market.city.wallet).find(begun.id)
    except PaymentUnknown:
        return begun
    return _end(market, begun, "paid", paid.amount_fen)


def paid_sale(market: Market, identity: UUID) -> Sale | None:
    """Give the sale of an id when it was paid, whether or not that was noted; None otherwise."""
    with reading(market.city.engine) as conn:
        row = _row(conn, sale.c.id, identity)
    found = None if row is None else settled(market, Sale.of(row))
    return found if found is not None and found.state == "paid" else None


def finish_sales(market: Market) -> tuple[Sale, ...]:
    """End what was begun a while ago and broken off, as paid or as refused; give what was paid."""
    now = market.city.now_local()
    begun = (sale.c.state == "begun") & (sale.c.at <= now - _STALE)
    # Refused, paid all the same by a request that came later, and broken off before that was noted.
    moved = exists().where(payment.c.id == sale.c.id)
    late = (sale.c.state == "refused") & (sale.c.at >= now - _LATE) & moved
    query = select(sale).where(begun | late).order_by(sale.c.at, sale.c.id)
    with reading(market.city.engine) as conn:
        waiting = [Sale.of(row) for row in conn.execute(query)]
    found = [settled(market, one) for one in waiting]
    for one in found:
        if one.state == "begun":
            _end(market, one, "refused")  # whoever asks for it again may pay it yet
    return tuple(one for one in found if one.state == "paid")


def fee_onward(market: Market, fee: int) -> Sequence[Onward]:
    """Give the part of a payment that goes on to who gets the fees; nothing where there is no fee."""
    from citycard.city.charging import Onward

    if not fee:
        return ()
    address = partner_payable(market.settings.fees_partner)
    return (Onward(address=address, amount_fen=fee, code=int(TransferCode.FEE)),)


def find_sale(market: Market, name: str) -> Sale:
    """Give a sale by its id, or by the id of a till's cleared record; raise SaleUnknown."""
    try:
        identity = UUID(name)
    except ValueError:
        return sale_of_record(market, name)
    with reading(market.city.engine) as conn:
        row = _row(conn, sale.c.id, identity)
    if row is None:
        raise SaleUnknown(id=name)
    return Sale.of(row)


def sale_of_record(market: Market, record: str) -> Sale:
    """Give the sale of a till's record that clearing accepted; raise SaleUnknown, RecordUnknown."""
    from citycard.clearing import State, explain

    city = market.city
    with reading(city.engine) as conn:
        row = _row(conn, sale.c.purchase, record)
    if row is not None:
        return Sale.of(row)
    found = explain(city, record)
    taken, outcome = found.record, found.outcome
    if taken is None or outcome is None or outcome.state is not State.ACCEPTED:
        raise SaleUnknown(id=record)
    payees = [name for name, _ in outcome.parts if name != market.settings.fees_partner]
    if taken.service != NUMBERS[SALE] or len(payees) != 1:
        raise SaleUnknown(id=record)
    with writing(city.engine) as conn:
        row = _row(conn, sale.c.purchase, record)
        if row is not None:
            return Sale.of(row)
        tier = tier_on(conn, market.settings, payees[0], taken.at)
        made = Sale(
            id=derived_id("retail record", record),
            purchase=record,
            channel="offline",
            service=SALE,
            partner=payees[0],
            asn=taken.asn,
            tier=tier.name,
            amount_fen=taken.amount_fen,
            fee_fen=fee_fen(tier, taken.amount_fen),
            returned_fen=0,
            returned_fee_fen=0,
            note="",
            state="paid",
            at=taken.at,
        )
        insert_missing(conn, sale, [attrs.asdict(made) | {"digest": ""}])
        row = _row(conn, sale.c.purchase, record)
    assert row is not None
    return Sale.of(row)


def sales_of(conn: Connection, *, asn: str = "", partner: str = "", limit: int = 50) -> tuple[Sale, ...]:
    """Give the newest paid sales that retail knows one by one: of a card, or of a merchant."""
    query = select(sale).where(sale.c.state == "paid").order_by(sale.c.at.desc(), sale.c.id).limit(limit)
    if asn:
        query = query.where(sale.c.asn == asn)
    if partner:
        query = query.where(sale.c.partner == partner)
    return tuple(map(Sale.of, conn.execute(query)))


def _paid_before(market: Market, identity: UUID, number: str, asked: dict[str, Any]) -> Sale | None:
    """Give what was paid under an id, whatever became of merchant, price and account since.

    Raise RetailActDiffers when it was something else.
    """
    known = paid_sale(market, identity)
    if known is None:
        return None
    with reading(market.city.engine) as conn:
        row = _row(conn, sale.c.id, identity)
        assert row is not None
        try:
            number = find_account(conn, number).number
        except OnlineAccountUnknown:
            # The card that it was named by hangs on it no more.
            paid = known.amount_fen and number == known.asn
            number = Payments(market.city.wallet).find(identity).number if paid else number
    if row.digest != digest_of(asked | {"account": number}):
        raise RetailActDiffers(id=identity, kind="sale")
    return known


def _pay(market: Market, begun: Sale, number: str, *, note: str, actor: str) -> int:
    """Ask every plugin, and pay what a sale was begun with: its fee is of just that."""
    from citycard.city.charging import debit

    if not begun.amount_fen:
        return 0
    paid = debit(
        market.city,
        begun.id,
        number,
        service=begun.service,
        partner=begun.partner,
        amount_fen=begun.amount_fen,
        onward=fee_onward(market, begun.fee_fen),
        note=note,
        actor=actor,
    )
    return paid.amount_fen


def _end(market: Market, begun: Sale, state: str, amount_fen: int | None = None) -> Sale:
    paid_fen = begun.amount_fen if amount_fen is None else amount_fen
    with writing(market.city.engine) as conn:
        mine = update(sale).where(sale.c.id == begun.id, sale.c.state != "paid", sale.c.state != state)
        if conn.execute(mine.values(state=state, amount_fen=paid_fen)).rowcount and state == "paid":
            body = {
                "sale": str(begun.id),
                "partner": begun.partner,
                "card": begun.asn,
                "amount_fen": paid_fen,
            }
            publish(conn, SOLD, [body], at=market.city.clock.now())
        row = _row(conn, sale.c.id, begun.id)
        assert row is not None
        return Sale.of(row)


def _row(conn: Connection, column: Any, value: object) -> Row[Any] | None:
    return conn.execute(select(sale).where(column == value)).one_or_none()
