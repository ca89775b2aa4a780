"""What services cost: fee rules from the settings, and the fee of an application paid online.

Pure but for ``charge_fee``: a rule is a function of the request alone, whose fact ``item`` is the service.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import percent_of, yuan
from citycard_egov.settings import Concession, EgovSettings, OnlineService

if TYPE_CHECKING:
    from citycard_egov.office import Office

__all__ = ["CARD", "FEE", "charge_fee", "fee_rules"]

FEE, CARD = "egov-fee", "egov-card"

Apply = Callable[[PriceRequest, int], Adjustment | None]


def fee_rules(settings: EgovSettings) -> Iterator[FeeRule]:
    """Compile the fees of services and the concessions; a service that is not there has no price."""
    fees = {one.id: one.fee_fen for one in settings.services}
    yield _rule("egov-fees", Stage.BASE, FEE, repr(sorted(fees.items())), _base(fees))
    yield _rule("egov-card-free", Stage.BASE, CARD, "0", _free)
    for concession in settings.concessions:
        yield _rule(
            f"egov-{concession.name}", Stage.CONCESSION, FEE, repr(concession), _concession(concession)
        )


def charge_fee(office: Office, identity: UUID, asn: str, service: OnlineService, *, actor: str) -> int:
    """Charge the fee of a service to the online account of a card, once; return what was paid, in fen.

    Nothing is asked of the account when the service is free. Raise what ``charge`` raises.
    """
    from citycard.city.charging import charge

    if not service.fee_fen:
        return 0
    paid = charge(
        office.city,
        identity,
        asn,
        service=FEE,
        partner=service.department,
        facts={"item": service.id},
        note=service.title,
        actor=actor,
    )
    return paid.amount_fen


def _rule(name: str, stage: Stage, service: str, content: str, apply: Apply) -> FeeRule:
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    return FeeRule(name=name, stage=stage, services=(service,), apply=apply, version=version)  # type: ignore[arg-type]


def _base(fees: dict[str, int]) -> Apply:
    def base(request: PriceRequest, _: int) -> Adjustment | None:
        item = str(request.facts.get("item", ""))
        if item not in fees:
            return None
        reason = Phrase("fee of {item}, {amount}", item=item, amount=yuan(fees[item]))
        return Adjustment(amount_fen=fees[item], reason=reason)

    return base


def _free(_: PriceRequest, __: int) -> Adjustment:
    return Adjustment(amount_fen=0, reason="writing onto a card is free")


def _concession(concession: Concession) -> Apply:
    rights = frozenset(concession.rights)

    def pay_less(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if rights.isdisjoint(request.entitlements):
            return None
        if concession.services and request.facts.get("item") not in concession.services:
            return None
        reason = Phrase("{name} pays {percent} %", name=concession.name, percent=concession.percent)
        return Adjustment(amount_fen=percent_of(amount_fen, concession.percent), reason=reason)

    return pay_less
