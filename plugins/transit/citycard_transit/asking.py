"""Ask why a ride costs what it costs: one that is described, or one whose record was handed in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from citycard import registry
from citycard.card.codec import decode
from citycard.clearing.explanation import explain
from citycard.clearing.pricing import Quote
from citycard.store import reading
from citycard.terminal.record import RecordFlag
from citycard_transit.errors import NetworkInvalid, PlaceUnknown, RecordNotTransit
from citycard_transit.explain import Explanation, explained, facts_of, product_kind
from citycard_transit.replay import settings_of
from citycard_transit.sectors import RideFacts
from citycard_transit.services import BUS, NUMBERS, Fares
from citycard_transit.settings import TransitSettings

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["explain_record", "explain_ride"]

_MOST = 20


def explain_ride(
    city: City,
    *,
    service: str,
    price: int | None = None,
    product: str | None = None,
    entitlements: tuple[str, ...] = (),
    transfer: bool = False,
    minutes_after: int | None = None,
    place: int = 0,
    origin: int = 0,
    operator: str | None = None,
    spent_today: int = 0,
    at: datetime | None = None,
) -> Explanation:
    """Explain the price of a ride that is described; amounts in fen, ``at`` local time, now when left out.

    A ride ``minutes_after`` another one is a transfer when that is within the window. Raise PlaceUnknown for
    a station or bus line that the city does not have, when it knows those that it has.
    """
    fares = Fares.of(settings_of(city))
    kind = product_kind(fares.settings, product)
    _check_places(city, fares.settings, service, place=place, origin=origin)
    when = at or city.now_local()
    facts = facts_of(
        at=when,
        place=place,
        origin=origin,
        minutes_after=minutes_after,
        spent_today_fen=spent_today,
        operator=_operator(fares, operator),
    )
    asked = fares.request(
        service,
        at=when,
        card_kind=kind,
        facts=facts,
        list_price_fen=price,
        transfer=transfer or minutes_after is not None,
    )
    rights = asked.entitlements.union(entitlements)
    asked = attrs.evolve(asked, entitlements=rights)  # type: ignore[arg-type]
    answer = explained(
        fares, city.rules.quote(asked), service=service, transfer=asked.transfer, card_kind=kind
    )
    return attrs.evolve(answer, entitlements=sorted(asked.entitlements))


def explain_record(city: City, asn: str, counter: int) -> Explanation:
    """Explain the price of a record that was handed in; RecordUnknown when there is none."""
    fares = Fares.of(settings_of(city))
    found = explain(city, (asn, counter))
    names = {number: name for name, number in NUMBERS.items()}
    record, price = found.record, found.price
    if record is None or price is None or record.service not in names:
        raise RecordNotTransit(asn=asn, counter=counter)
    facts = decode(RideFacts, record.facts)
    quote = Quote(amount_fen=price.amount_fen or 0, steps=price.steps, rules_version=price.rules_version)
    answer = explained(
        fares,
        quote,
        service=names[record.service],
        transfer=bool(record.flags & RecordFlag.TRANSFER),
        card_kind=record.card_kind,
    )
    return attrs.evolve(
        answer,
        charged_fen=record.amount_fen,
        record={
            "id": found.id,
            "asn": asn,
            "counter": counter,
            "kind": record.kind.name.lower(),
            "at": record.at.isoformat(),
            "terminal": record.terminal,
            "place": facts.place,
            "origin": facts.origin or None,
            "vehicle": facts.vehicle.rstrip(b"\0").decode("gb18030", "replace"),
            "state": found.outcome.state.value if found.outcome else None,
            "code": found.outcome.code if found.outcome else None,
            "same_rules": price.same_rules,
        },
    )


def _check_places(city: City, settings: TransitSettings, service: str, **asked: int) -> None:
    """Hold a ride against the places that are registered and those that fares name; 0 is no place.

    Before taps came in nothing is registered, and only a service priced by matrices alone names all
    its places.
    """
    with reading(city.engine) as conn:
        # A station is its operator's, a bus line nobody's: several may run it.
        registered = {
            str(one.code) for one in registry.places(conn) if (one.partner is None) == (service == BUS)
        }
    bases = [base for base in settings.bases if service in base.services]
    matrices = [one for one in settings.matrices if one.name in {base.matrix for base in bases}]
    if not registered and not (bases and all(base.source == "matrix" for base in bases)):
        return
    known = registered.union(
        *(base.places for base in bases),
        *(places for matrix in matrices for places in matrix.zones.values()),
        *(row.keys() - matrix.zones.keys() for matrix in matrices for row in matrix.prices_fen.values()),
        *(matrix.prices_fen.keys() - matrix.zones.keys() for matrix in matrices),
    )
    for field, place in asked.items():
        if place and str(place) not in known:
            some = sorted(known, key=lambda number: (len(number), number))
            raise PlaceUnknown(
                field=field,
                place=place,
                kind="bus line" if service == BUS else "station",
                known=", ".join(some[:_MOST]) + (f" and {len(some) - _MOST} more" if some[_MOST:] else ""),
            )


def _operator(fares: Fares, name: str | None) -> int:
    if name is None:
        return 0
    known = {operator.id: operator.number for operator in fares.settings.operators}
    if name not in known:
        raise NetworkInvalid(field="operator", value=name, known=", ".join(sorted(known)) or "none")
    return known[name]
