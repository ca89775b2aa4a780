"""Pay a partner what stands in its payable beyond the runs: it had no account then, or was suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from citycard import registry
from citycard.bank import BankAccount, Payment, PaymentKind, order_payment
from citycard.bank.tables import bank_payment
from citycard.errors import AccountMissing, PayoutRefused, Phrase
from citycard.money import yuan
from citycard.registry import PartnerStatus
from citycard.registry.tables import partner as partner_table
from citycard.store import writing
from citycard.wallet.addresses import partner_payable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["pay_partner"]


def pay_partner(city: City, identity: UUID, partner: str, amount_fen: int | None = None) -> Payment:
    """Order a payment of what a partner is owed, or of a part; again under the same id, it is the same one.

    Raise RegistryMissing, PayoutRefused when the partner is not active, has no bank account or is owed less,
    PaymentConflict when the id stands for another payment.
    """
    with writing(city.engine) as conn:
        # Held, so that two payouts do not both see the same money.
        conn.execute(select(partner_table.c.id).where(partner_table.c.id == partner).with_for_update())
        found = registry.find_partner(conn, partner)
        known = conn.execute(select(bank_payment).where(bank_payment.c.id == identity)).one_or_none()
        if known is not None and amount_fen is None:
            amount_fen = known.amount_fen
        if known is None:
            amount_fen = _checked(city, conn, found, amount_fen)
        assert amount_fen is not None
        payment = Payment(
            id=identity,
            kind=PaymentKind.PAYOUT,
            amount_fen=amount_fen,
            creditor=BankAccount(
                name=found.account_name or found.name, account=found.account_no, bic=found.bank_bic
            ),
            source=partner_payable(partner),
            text=f"payout to {partner}",
        )
        at = city.now_local()
        return order_payment(conn, city.ledger, payment, event_time=at, business_date=at.date())


def _checked(city: City, conn: Connection, found: registry.Partner, amount_fen: int | None) -> int:
    if found.status is not PartnerStatus.ACTIVE:
        raise PayoutRefused(partner=found.id, reason=Phrase("it is {status}", status=found.status))
    if not found.account_no:
        reason = "it has no bank account: citycard partner add gives it one"
        raise PayoutRefused(partner=found.id, reason=reason)
    try:
        owed_fen = city.ledger.balance(conn, partner_payable(found.id)).available_fen
    except AccountMissing:
        owed_fen = 0
    wanted_fen = owed_fen if amount_fen is None else amount_fen
    if not 0 < wanted_fen <= owed_fen:
        reason = Phrase(
            "it is owed {owed_yuan} yuan, which does not cover {wanted_yuan}",
            owed_yuan=yuan(owed_fen),
            wanted_yuan=yuan(wanted_fen),
        )
        raise PayoutRefused(partner=found.id, reason=reason if owed_fen else "nothing is owed to it")
    return wanted_fen
