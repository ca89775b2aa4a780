"""Charge a citizen's online account for a service: priced by the rules, asked of every plugin, paid, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from citycard import registry
from citycard.city.accounts import payee
from citycard.clearing.pricing import PriceRequest, Quote
from citycard.errors import ActDiffers, DebitRefused, PaymentUnknown, Phrase, ServiceOff, ServiceUnknown
from citycard.kernel.services import DebitRequest
from citycard.store import reading
from citycard.wallet.online import find_account
from citycard.wallet.onward import Onward
from citycard.wallet.paymentbook import Payment
from citycard.wallet.payments import Payments

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Charge", "Onward", "charge", "give_back", "price"]


@attrs.frozen(kw_only=True)
class Charge:
    """What a charge came to: ``quote`` says why, ``payment`` what was paid; None when it cost nothing.

    ``quote`` is None for a charge that was made before under the same id.
    """

    quote: Quote | None
    payment: Payment | None

    @property
    def amount_fen(self) -> int:
        """Give what was paid."""
        return self.payment.amount_fen if self.payment else 0


def price(
    city: City,
    asn: str,
    *,
    service: str,
    partner: str,
    list_price_fen: int | None = None,
    facts: Mapping[str, Any] | None = None,
    entitlements: Iterable[str] | None = None,
) -> Quote:
    """Say what a service costs the holder of a card at a partner now, by every plugin's rules.

    ``entitlements`` left out are those that card, registry and plugins vouch for. Raise ServiceUnknown,
    ServiceOff where the service is switched off for the partner or its district, PriceUnknown.
    """
    now = city.now_local()
    with reading(city.engine) as conn:
        found = registry.find_partner(conn, partner)
        card = registry.find_card(conn, asn)
    _check_on(city, service, found)
    vouched = (right.name for right in city.entitlements(asn, now))
    given = frozenset(vouched if entitlements is None else entitlements)
    request = PriceRequest(
        service=service,
        at=now,
        list_price_fen=list_price_fen,
        entitlements=given,  # type: ignore[arg-type]  # attrs takes any iterable of names
        product=card.product,
        district=found.district or "",
        partner=partner,
        facts=facts or {},
    )
    return city.plugins.rules(found.district, partner).quote(request)


def charge(
    city: City,
    identity: UUID,
    number: str,
    *,
    service: str,
    partner: str,
    list_price_fen: int | None = None,
    facts: Mapping[str, Any] | None = None,
    entitlements: Iterable[str] | None = None,
    onward: Sequence[Onward] = (),
    note: str = "",
    actor: str = "",
) -> Charge:
    """Price a service, ask every plugin for the debit, and pay the partner; once for each ``identity``.

    ``number`` is that of an online account, or of the card it hangs on. Subsidies for the
    partner's kind pay first. ``onward`` are parts that go on from it in the same step, such as its fee.
    Asked again under an id that paid, the answer is that payment, whatever the price is by now; ActDiffers
    for another account, partner or service. What a plugin refused, and what cost nothing, left no trace.

    Raise what ``price`` raises, DebitRefused, and what ``Payments.pay`` raises.
    """
    payments = Payments(city.wallet)
    done = _paid(payments, identity)
    with reading(city.engine) as conn:
        account = find_account(conn, number)
    if done is not None:
        if (done.number, done.partner, done.service) != (account.number, partner, service):
            raise ActDiffers(id=identity, kind="charge")
        return Charge(quote=None, payment=done)
    quote = price(
        city,
        account.asn,
        service=service,
        partner=partner,
        list_price_fen=list_price_fen,
        facts=facts,
        entitlements=entitlements,
    )
    if quote.amount_fen == 0:
        return Charge(quote=quote, payment=None)
    _ask(city, account.asn, service, partner, quote.amount_fen)
    paid = payments.pay(
        identity,
        account.number,
        payee(city, partner),
        quote.amount_fen,
        onward=onward,
        note=note or service,
        service=service,
        actor=actor,
    )
    return Charge(quote=quote, payment=paid)


def give_back(
    city: City,
    identity: UUID,
    payment_id: UUID,
    amount_fen: int,
    *,
    onward: Sequence[Onward] = (),
    note: str = "",
    actor: str = "",
) -> Payment:
    """Give back a charge or a part of it, once for each ``identity``; ``onward`` comes back to the partner.

    Raise PaymentUnknown or RefundRefused.
    """
    return Payments(city.wallet).give_back(
        identity, payment_id, amount_fen, onward=onward, note=note, actor=actor
    )


def _ask(city: City, asn: str, service: str, partner: str, amount_fen: int) -> None:
    with reading(city.engine) as conn:
        district = registry.find_partner(conn, partner).district
    request = DebitRequest(
        asn=asn,
        service=service,
        amount_fen=amount_fen,
        at=city.now_local(),
        partner=partner,
        district=district or "",
    )
    refusal = city.plugins.veto(request)
    if refusal is not None:
        raise DebitRefused(reason=refusal.reason, code=refusal.code, plugin=refusal.plugin)


def _paid(payments: Payments, identity: UUID) -> Payment | None:
    try:
        return payments.find(identity)
    except PaymentUnknown:
        return None


def _check_on(city: City, service: str, partner: registry.Partner) -> None:
    if city.plugins.service(service) is None:
        raise ServiceUnknown(number=service)
    on = {owned.record.name for owned in city.plugins.services(partner.district, partner.id)}
    if service not in on:
        raise ServiceOff(service=service, where=Phrase("partner {id}", id=partner.id))
