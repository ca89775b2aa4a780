"""Charge a citizen's online account for a service: priced by the rules, asked of every plugin, paid, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard import registry
from citycard.city.accounts import payee
from citycard.clearing.pricing import PriceRequest, Quote
from citycard.errors import ActDiffers, DebitRefused, PaymentUnknown, Phrase, ServiceOff, ServiceUnknown
from citycard.ids import derived_id
from citycard.kernel.services import DebitRequest
from citycard.store import reading
from citycard.wallet.actbook import was_refused
from citycard.wallet.acts import Act, answered, give_up, once
from citycard.wallet.online import OnlineAccount, find_account
from citycard.wallet.onward import Onward, told
from citycard.wallet.paymentbook import Payment, find_payment, payment_named
from citycard.wallet.payments import Payments, check_amount

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "Charge",
    "Onward",
    "asked_of_plugins",
    "charge",
    "debit",
    "give_back",
    "give_up_charge",
    "next_try",
    "price",
]

_KIND = "charge"


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
    Asked again under its id, the answer is the first one, whatever the price is by now: that payment, that it
    cost nothing, or what the account or a plugin refused. ActDiffers for anything else than was asked for
    then; only ``note`` and ``actor`` may differ.

    Raise what ``price`` raises, which is no answer and leaves the id free, DebitRefused, and what
    ``Payments.pay`` raises.
    """
    given = None if entitlements is None else sorted(set(entitlements))
    with reading(city.engine) as conn:
        account = find_account(conn, number)
    content = {
        "service": service,
        "partner": partner,
        "list_price_fen": list_price_fen,
        "facts": dict(facts or {}),
        "entitlements": given,
        **told(onward),
    }
    act = Act(id=identity, kind=_KIND, number=account.number, actor=actor, content=content)
    if _answered(city, act):
        return Charge(quote=None, payment=_paid(city, identity))
    quote = price(
        city,
        account.asn,
        service=service,
        partner=partner,
        list_price_fen=list_price_fen,
        facts=facts,
        entitlements=given,
    )
    _debit(city, act, account, quote.amount_fen, onward, note)
    return Charge(quote=quote, payment=_paid(city, identity))


def debit(
    city: City,
    identity: UUID,
    number: str,
    *,
    service: str,
    partner: str,
    amount_fen: int,
    onward: Sequence[Onward] = (),
    note: str = "",
    actor: str = "",
) -> Payment:
    """Charge an amount that was priced before: ask every plugin, and pay; once for each ``identity``.

    Raise what ``charge`` raises; ActDiffers for another amount too.
    """
    with reading(city.engine) as conn:
        account = find_account(conn, number)
    content = {"service": service, "partner": partner, "amount_fen": amount_fen, **told(onward)}
    act = Act(id=identity, kind=_KIND, number=account.number, actor=actor, content=content)
    check_amount(amount_fen, f"charge {identity}")
    if not _answered(city, act):
        _debit(city, act, account, amount_fen, onward, note)
    return Payments(city.wallet).find(identity)


def asked_of_plugins(
    city: City, asn: str, *, service: str, partner: str, amount_fen: int
) -> DebitRefused | None:
    """Ask every plugin whether a card's holder may be charged so much now, and give the refusal of one."""
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
    if refusal is None:
        return None
    return DebitRefused(reason=refusal.reason, code=refusal.code, plugin=refusal.plugin)


def next_try(city: City, *parts: object) -> UUID:
    """Give the id for what is charged again and again until it is paid, such as a fee that is owed.

    A refusal stands for its id, so that each try after one has an id of its own, derived from ``parts`` and
    the number of tries before it.
    """
    turn, identity = 0, derived_id(*parts)
    with reading(city.engine) as conn:
        while was_refused(conn, identity):
            turn += 1
            identity = derived_id(*parts, "try", turn)
    return identity


def give_up_charge(
    city: City, conn: Connection, identity: UUID, *, number: str = "", actor: str = ""
) -> Payment | None:
    """Let a charge never be paid any more that was asked for under an id; give its payment when it was.

    It happens in the transaction of whoever decides so, with what follows from it: a request that is still
    on its way, or comes again, is refused with ActGivenUp.
    """
    give_up(conn, identity, city.clock.now(), number=number, actor=actor)
    try:
        return find_payment(conn, identity)
    except PaymentUnknown:
        return None


def give_back(
    city: City,
    identity: UUID,
    payment_id: UUID,
    amount_fen: int,
    *,
    onward: Sequence[Onward] | None = None,
    note: str = "",
    actor: str = "",
) -> Payment:
    """Give back a charge or a part of it, once for each ``identity``.

    What had gone on from the partner comes back from whom it went to, by their shares, and fees stay; or
    ``onward`` says from whom how much. ``shares_of`` tells what each got and gave back. Raise PaymentUnknown,
    RefundRefused, or ShareRefused where one would give back more than it got.
    """
    return Payments(city.wallet).give_back(
        identity, payment_id, amount_fen, onward=onward, note=note, actor=actor
    )


def _answered(city: City, act: Act) -> bool:
    """Say whether a charge was done; raise the refusal that it got, or ActDiffers."""
    with reading(city.engine) as conn:
        try:
            return answered(conn, act)
        except ActDiffers as differs:
            if differs.data["kind"] != "pay":
                raise
            # Older versions kept a charge as the payment that it made.
            paid = payment_named(conn, act.id)
            wanted = (act.number, act.content["partner"], act.content["service"])
            if paid is None or (paid.number, paid.partner, paid.service) != wanted:
                raise ActDiffers(id=act.id, kind=_KIND) from None
            return True


def _debit(
    city: City, act: Act, account: OnlineAccount, amount_fen: int, onward: Sequence[Onward], note: str
) -> None:
    """Ask and pay, and keep what came of it. Plugins are asked before the transaction: they may read."""
    service, partner = str(act.content["service"]), str(act.content["partner"])
    words = {"service": service, "partner": partner, "amount_fen": amount_fen}
    to = payee(city, partner)
    refused = None
    if amount_fen:
        check_amount(amount_fen, f"charge {act.id}")
        refused = asked_of_plugins(city, account.asn, service=service, partner=partner, amount_fen=amount_fen)

    def work(conn: Connection) -> None:
        if refused is not None:
            raise refused
        if amount_fen:
            Payments(city.wallet).pay_within(
                conn,
                act.id,
                account.number,
                to,
                amount_fen,
                onward=onward,
                note=note or service,
                service=service,
            )

    once(city.wallet, attrs.evolve(act, words=words), work)


def _paid(city: City, identity: UUID) -> Payment | None:
    try:
        return Payments(city.wallet).find(identity)
    except PaymentUnknown:
        return None


def _check_on(city: City, service: str, partner: registry.Partner) -> None:
    if city.plugins.service(service) is None:
        raise ServiceUnknown(number=service)
    on = {owned.record.name for owned in city.plugins.services(partner.district, partner.id)}
    if service not in on:
        raise ServiceOff(service=service, where=Phrase("partner {id}", id=partner.id))
