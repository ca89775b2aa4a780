"""Settle what is between us and other cities: net both sides, and order a payment where we owe the rest.

What another city owes stays on its receivable until the bank's statement shows its payment. What the bank
returned of our payments is owed again, and goes into the next settlement as what claims say does.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, insert

from citycard import registry
from citycard.bank.instruction import BankAccount, is_payable
from citycard.bank.payments import Payment, PaymentKind, order_payment
from citycard.errors import Phrase, SettlementRefused
from citycard.exchange.context import ExchangeContext
from citycard.exchange.positions import Claim, Returned, claims_of, returned_payments
from citycard.exchange.tables import exchange_repaid, exchange_settled, exchange_settlement
from citycard.ids import derived_id
from citycard.ledger.chart import TransferCode
from citycard.ledger.records import Transfer
from citycard.registry import OtherCity
from citycard.store.engine import write_alone, writing
from citycard.wallet.addresses import city_payee, city_receivable, payable_of

__all__ = ["Settlement", "settle"]


@attrs.frozen(kw_only=True)
class Settlement:
    """What was settled with a city: what we owed it, what it owed us, our payment of the rest if any.

    In ``owed_fen`` are payments that the bank returned: they are owed again.
    """

    id: UUID
    city: str
    through: date
    owed_fen: int
    due_fen: int
    payment: UUID | None

    @property
    def net_fen(self) -> int:
        """Give what the city owes us after netting; below zero we owe it."""
        return self.due_fen - self.owed_fen


def settle(context: ExchangeContext, through: date, *, city: str = "", actor: str) -> list[Settlement]:
    """Settle every window up to a day that is over, with each city or with one; again without harm.

    Payments for such windows that the bank returned are settled again, each once.

    Raise SettlementRefused for a day that is not over, or for a city that is owed and has no bank account,
    and RegistryMissing for one that was never on the list.
    """
    today = context.clock.now().astimezone(ZoneInfo(context.terms.timezone)).date()
    if through >= today:
        whom = f"city {city}" if city else "any city"
        first = through + timedelta(days=1)
        told = Phrase(
            "{through} is not over: it can be settled from {first} on", through=through, first=first
        )
        raise SettlementRefused(others=whom, reason=told)
    settled = []
    with writing(context.engine) as conn:
        write_alone(conn, exchange_settlement)
        others = [registry.find_city(conn, city)] if city else registry.other_cities(conn)
        for other in others:
            claims = [
                claim
                for claim in claims_of(conn, context.code, other.code)
                if claim.window <= through and not claim.settled
            ]
            back = [one for one in returned_payments(conn, other.code) if one.through <= through]
            if claims or back:
                settled.append(_settle(context, conn, other, claims, back, through, actor))
    return settled


def _settle(
    context: ExchangeContext,
    conn: Connection,
    other: OtherCity,
    claims: list[Claim],
    back: list[Returned],
    through: date,
    actor: str,
) -> Settlement:
    names = [f"{claim.debtor} {claim.number}" for claim in claims] + [str(one.payment) for one in back]
    claimed_fen = sum(claim.net_fen for claim in claims if claim.debtor == context.code)
    settlement = Settlement(
        id=derived_id("exchange", "settlement", context.code, other.code, *names),
        city=other.code,
        through=through,
        owed_fen=claimed_fen + sum(one.amount_fen for one in back),
        due_fen=sum(claim.net_fen for claim in claims if claim.debtor == other.code),
        payment=None,
    )
    at = context.clock.now().astimezone(ZoneInfo(context.terms.timezone)).replace(tzinfo=None, microsecond=0)
    _net(context, conn, settlement, at)
    if settlement.net_fen < 0:
        settlement = attrs.evolve(settlement, payment=_pay(context, conn, other, settlement, at))
    row = attrs.asdict(settlement) | {"actor": actor, "at": context.clock.now()}
    conn.execute(insert(exchange_settlement), row)
    settled = [
        {
            "way": "in" if claim.debtor == other.code else "out",
            "city": other.code,
            "number": claim.number,
            "settlement": settlement.id,
        }
        for claim in claims
    ]
    repaid = [{"payment": one.payment, "settlement": settlement.id} for one in back]
    for table, rows in ((exchange_settled, settled), (exchange_repaid, repaid)):
        if rows:
            conn.execute(insert(table), rows)
    return settlement


def _net(context: ExchangeContext, conn: Connection, settlement: Settlement, at: datetime) -> None:
    both_fen = min(settlement.owed_fen, settlement.due_fen)
    if not both_fen:
        return
    netted = Transfer(
        id=derived_id(settlement.id, "netted"),
        debit_address=payable_of(city_payee(settlement.city)),
        credit_address=city_receivable(settlement.city),
        amount_fen=both_fen,
        code=TransferCode.CITY_NETTED,
        event_time=at,
        business_date=at.date(),
        ref=f"exchange/{settlement.city}/{settlement.through}",
    )
    context.ledger.post_all(conn, [netted])


def _pay(
    context: ExchangeContext, conn: Connection, other: OtherCity, settlement: Settlement, at: datetime
) -> UUID:
    creditor = BankAccount(
        name=other.account_name or other.name, account=other.account_no, bic=other.bank_bic
    )
    if not is_payable(creditor):
        reason = Phrase(
            "it is owed {owed_fen} fen and has no bank account: it was added without one",
            owed_fen=-settlement.net_fen,
        )
        raise SettlementRefused(others=Phrase("city {code}", code=other.code), reason=reason)
    payment = Payment(
        id=derived_id(settlement.id, "payment"),
        kind=PaymentKind.SETTLEMENT,
        amount_fen=-settlement.net_fen,
        creditor=creditor,
        source=payable_of(city_payee(other.code)),
        text=f"city {context.code} to city {other.code}, cards used until {settlement.through}",
    )
    order_payment(conn, context.ledger, payment, event_time=at, business_date=at.date())
    return payment.id
