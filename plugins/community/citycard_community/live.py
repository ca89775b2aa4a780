"""A day in the first community of a simulated city (docs/simulate.md): flats, fees, a lease, visitors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citycard import Lived, derived_id
from citycard.errors import CitycardError
from citycard.store import reading
from citycard_community.billing import bill_month, bills_of_card, pay_from_account
from citycard_community.leases import begin_lease, leases_of_unit
from citycard_community.passes import passes_of_card, sell_pass
from citycard_community.units import UnitGiven, keep_units, month_of, units_of_owner
from citycard_community.visits import invite

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_community.settings import Community, CommunitySettings

__all__ = ["live_day"]

_HOMES = 20
_AREA, _MORE = 6_000, 250


def live_day(
    city: City, settings: CommunitySettings, day: dt.date, accounts: Sequence[str]
) -> Iterator[Lived]:
    """Let the first citizens own flats; the first lets the own one to the second, has a pass and a visitor.

    Fees are billed and paid. The same day again changes nothing; who cannot pay does not.
    """
    community = settings.communities[0]
    owners = [asn for place, asn in enumerate(accounts[:_HOMES]) if place != 1]
    yield Lived(what="flats taken over", count=_settled(city, settings, community, owners))
    yield Lived(what="leases begun", count=_let(city, settings, day, accounts))
    yield Lived(what="fees billed", count=bill_month(city, settings, day))
    paid = [fen for asn in owners for fen in _paid(city, settings, day, asn)]
    yield Lived(what="fees paid", count=len(paid), amount_fen=sum(paid))
    passes = [fen for asn in owners[:1] for fen in _pass(city, settings, community, day, asn)]
    yield Lived(what="parking passes", count=len(passes), amount_fen=sum(passes))
    yield Lived(what="visitors invited", count=_invited(city, settings, day, owners))


def _settled(city: City, settings: CommunitySettings, community: Community, owners: Sequence[str]) -> int:
    building = next((zone.number for zone in community.zones if not zone.shared), None)
    if building is None:
        return 0
    flats = [
        UnitGiven(
            community=community.id,
            building=building,
            room=f"{101 + place}",
            area=_AREA + place * _MORE,
            owner=asn,
        )
        for place, asn in enumerate(owners)
    ]
    return keep_units(city, settings, flats)


def _let(city: City, settings: CommunitySettings, day: dt.date, accounts: Sequence[str]) -> int:
    landlord, tenants = accounts[0], list(accounts[1:2])
    flats = _flats(city, landlord)
    with reading(city.engine) as conn:
        let = [one for flat in flats for one in leases_of_unit(conn, flat) if one.last_day >= day]
    if not flats or not tenants or let:
        return 0
    first, last = dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)
    begin_lease(
        city, settings, derived_id("simulated lease", flats[0], day.year), flats[0], tenants, first, last
    )
    return 1


def _paid(city: City, settings: CommunitySettings, day: dt.date, asn: str) -> Iterator[int]:
    with reading(city.engine) as conn:
        owed = [one for one in bills_of_card(conn, settings, day, asn) if one.owed_fen]
    for one in owed:
        identity = derived_id("simulated fee", one.bill.id, one.owed_fen)
        try:
            yield pay_from_account(city, settings, identity, asn, one.bill.id).amount_fen
        except CitycardError:  # without money nothing is paid, and the late charge grows
            continue


def _pass(
    city: City, settings: CommunitySettings, community: Community, day: dt.date, asn: str
) -> Iterator[int]:
    month = month_of(day)
    with reading(city.engine) as conn:
        has = passes_of_card(conn, asn, day)
    if community.car_parks and not has:
        park = community.car_parks[0]
        identity = derived_id("simulated pass", asn, month)
        try:
            sell_pass(city, settings, identity, asn, community.id, park.number, 1, month, 1)
        except CitycardError:
            return
        yield park.pass_fen


def _invited(city: City, settings: CommunitySettings, day: dt.date, owners: Sequence[str]) -> int:
    invited = 0
    for asn in owners[::5]:
        for flat in _flats(city, asn)[:1]:
            invite(city, settings, derived_id("simulated visit", flat, day), asn, flat, day)
            invited += 1
    return invited


def _flats(city: City, asn: str) -> list[int]:
    with reading(city.engine) as conn:
        return [one.id for one in units_of_owner(conn, asn)]
