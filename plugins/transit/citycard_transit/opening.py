"""Open what a morning's taps name and the city does not know yet: operators, places, terminals, cards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection

from citycard import registry
from citycard.store import reading, writing
from citycard_transit.gates import Site
from citycard_transit.services import METRO, participant
from citycard_transit.settings import TransitSettings
from citycard_transit.shenzhen import asn_of
from citycard_transit.taps import Named, Tap, TapKind, Taps

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Opened", "known_products", "open_all"]

_FIRST_PLACE = 100_001
_DIGITS = 12


@attrs.frozen(kw_only=True)
class Opened:
    """What the taps' words stand for in the city.

    ``asns`` by card number, ``partners`` by operator, ``places`` by line and place as the taps name them.
    """

    asns: Mapping[str, str]
    partners: Mapping[str, str]
    places: Mapping[tuple[str, str], int]
    numbers: Mapping[str, int]

    def site(self, tap: Tap) -> Site:
        """Say where a tap is made."""
        bus = tap.kind is TapKind.BUS
        return Site(
            place=self.places[_place_key(tap)],
            line=tap.place if bus else METRO,
            operator=self.numbers.get(self.partners[tap.operator], 0),
        )


def known_products(city: City, taps: Sequence[Tap]) -> dict[str, str]:
    """Give the products of those cards that the city has issued before, by card number."""
    asns = _asns(city, taps)
    with reading(city.engine) as conn:
        known = registry.cards_by_asn(conn, list(asns.values()))
    return {card: known[asn].product for card, asn in asns.items() if asn in known}


def open_all(city: City, settings: TransitSettings, source: Taps, products: Mapping[str, str]) -> Opened:
    """Add every operator, place, terminal and card of the taps that is missing; again without harm.

    ``products`` gives each card number its product.
    """
    taps = source.taps
    asns = _asns(city, taps)
    partners = {name: _partner(settings, name) for name in dict.fromkeys(tap.operator for tap in taps)}
    issue = city.issuing.card
    first = _first_days(taps)
    # Everything that is computed is computed before the transaction, which holds the city's one writer.
    city.issuing.products()
    with writing(city.engine) as conn:
        known = {partner.id for partner in registry.partners(conn)}
        registry.add_partners(conn, [p for p in partners.values() if p.id not in known])
        ids = {name: partner.id for name, partner in partners.items()}
        places = _open_places(conn, taps, source.names, ids)
        _open_terminals(conn, taps, places, ids)
        issued = registry.cards_by_asn(conn, list(asns.values()))
        fresh = [(card, asn) for card, asn in asns.items() if asn not in issued]
        registry.add_cards(conn, [issue(asn, products[card], first[card]) for card, asn in fresh])
    numbers = {operator.id: operator.number for operator in settings.operators}
    return Opened(asns=asns, partners=ids, places=places, numbers=numbers)


def _asns(city: City, taps: Sequence[Tap]) -> dict[str, str]:
    code = city.config.city.code
    return {card: asn_of(card, code) for card in dict.fromkeys(tap.card for tap in taps)}


def _first_days(taps: Sequence[Tap]) -> dict[str, date]:
    """Give the day of each card's first tap, which is the first on which it is valid."""
    first: dict[str, date] = {}
    for tap in taps:
        day = tap.at.date()
        first[tap.card] = min(day, first.get(tap.card, day))
    return first


def _place_key(tap: Tap) -> tuple[str, str]:
    return (tap.place if tap.kind is TapKind.BUS else tap.operator, tap.place)


def _open_places(
    conn: Connection, taps: Sequence[Tap], names: Mapping[str, Named], ids: Mapping[str, str]
) -> dict[tuple[str, str], int]:
    existing = registry.places(conn)
    codes = {(place.line, place.name): place.code for place in existing}
    following = max([_FIRST_PLACE, *(place.code + 1 for place in existing)])
    found: dict[tuple[str, str], int] = {}
    fresh: list[registry.Place] = []
    for tap in taps:
        key = _place_key(tap)
        if key in found:
            continue
        named = names.get(tap.place)
        line, name = (named.line, named.name) if named else (key[0], tap.place or f"{tap.operator} (?)")
        code = codes.get((line, name))
        if code is None:
            code = named.code if named else following
            following += named is None
            codes[line, name] = code
            # A bus line may be run by several operators; a station is its operator's.
            owner = ids[tap.operator] if tap.kind is not TapKind.BUS else None
            fresh.append(registry.Place(code=code, name=name, line=line, partner=owner))
        found[key] = code
    registry.add_places(conn, fresh)
    return found


def _open_terminals(
    conn: Connection,
    taps: Sequence[Tap],
    places: Mapping[tuple[str, str], int],
    ids: Mapping[str, str],
) -> None:
    known = {terminal.number for terminal in registry.terminals(conn)}
    fresh: dict[str, registry.Terminal] = {}
    for tap in taps:
        if tap.terminal not in known and tap.terminal not in fresh:
            fresh[tap.terminal] = registry.Terminal(
                number=tap.terminal,
                partner=ids[tap.operator],
                place=places[_place_key(tap)],
                opened_on=tap.at.date(),
            )
    registry.add_terminals(conn, list(fresh.values()))


def _partner(settings: TransitSettings, name: str) -> registry.Partner:
    operator = settings.operator(name)
    if operator is not None:
        return participant(operator).partner()
    # Nobody has told this operator's account; the number shows that it is made up.
    number = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    partner = registry.Partner(id=f"operator-{number % 16**8:08x}", name=name, account_name=name)
    if not settings.play.account_prefix:
        return partner
    account_no = f"{settings.play.account_prefix}{number % 10**_DIGITS:0{_DIGITS}d}"
    return attrs.evolve(partner, account_no=account_no, bank_bic=settings.play.bic)
