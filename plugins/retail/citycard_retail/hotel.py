"""A hotel holds a deposit on an online account and captures what the stay came to; the rest is free again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from citycard.city.accounts import payee
from citycard.store import reading
from citycard.wallet import AccountHold, Holds, find_account
from citycard_retail.market import Market, digest_of
from citycard_retail.merchants import merchants
from citycard_retail.sales import Sale, begin, fee_onward, pay_begun
from citycard_retail.services import HOTEL

__all__ = ["capture", "find_hold", "hold", "release"]


def hold(
    market: Market,
    identity: UUID,
    number: str,
    partner: str,
    amount_fen: int,
    *,
    days: int | None = None,
    note: str = "",
    actor: str = "",
) -> AccountHold:
    """Hold a deposit for a merchant, for so many days at most; once for each ``identity``.

    Raise MerchantUnknown, OnlineAccountUnknown, DebitRefused, and what the wallet refuses.
    """
    from citycard.city.charging import asked_of_plugins

    city = market.city
    with reading(city.engine) as conn:
        merchants(market, conn, partner=partner)
        account = find_account(conn, number)
    to = payee(city, partner)
    refused = asked_of_plugins(city, account.asn, service=HOTEL, partner=partner, amount_fen=amount_fen)
    lasts = timedelta(days=market.settings.hold_days if days is None else days)
    holds = Holds(city.wallet)
    return holds.authorise(
        identity, account.number, to.partner, amount_fen, lasts, note=note, actor=actor, refused=refused
    )


def capture(
    market: Market, identity: UUID, hold_id: UUID, amount_fen: int | None = None, *, actor: str = ""
) -> Sale:
    """Take what the stay came to out of a hold, less the fee, and free the rest; once for each ``identity``.

    Raise HoldUnknown, HoldRefused, RetailActDiffers.
    """
    holds = Holds(market.city.wallet)
    known = holds.find(hold_id)
    with reading(market.city.engine) as conn:
        asn = find_account(conn, known.number).asn
    taken_fen = known.amount_fen if amount_fen is None else amount_fen
    digest = digest_of({"hold": hold_id, "amount_fen": taken_fen})
    begun = begin(
        market,
        identity,
        known.partner,
        asn,
        lambda: taken_fen,
        digest,
        service=HOTEL,
        note=known.note,
    )

    def pay() -> int:
        onward = fee_onward(market, begun.fee_fen)
        captured = holds.capture(identity, hold_id, taken_fen, onward=onward, service=HOTEL, actor=actor)
        return captured.captured_fen

    return pay_begun(market, begun, pay)


def release(market: Market, identity: UUID, hold_id: UUID, *, actor: str = "") -> AccountHold:
    """Free a hold, nothing is paid; once for each ``identity``. Raise HoldUnknown or HoldRefused."""
    return Holds(market.city.wallet).release(identity, hold_id, actor=actor)


def find_hold(market: Market, hold_id: UUID) -> AccountHold:
    """Give a hold as it stands; raise HoldUnknown."""
    return Holds(market.city.wallet).find(hold_id)
