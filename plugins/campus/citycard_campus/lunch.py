"""Pupils who come to a school of a simulated city: cards of their own, a month's meals on them, and lunch.

Cards that tap in a simulation are not there to be written. These are: the desk carries the grant onto each,
the canteen's till takes the meal from the pot, and both hand in what they did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from citycard import registry
from citycard.store import reading, writing
from citycard_campus.sectors import ENROLMENT

if TYPE_CHECKING:
    from citycard.terminal import Reader
    from citycard_campus.campus import Campus
    from citycard_campus.settings import Caterer, School

__all__ = ["have_lunch", "issue_cards"]

_NEWCOMERS = 5
_DIGITS = "0310"


def issue_cards(campus: Campus, day: dt.date) -> dict[str, Reader]:
    """Make the cards of a day's newcomers, by number; none on a day that was lived already."""
    from citycard.terminal import InProcessReader

    city = campus.city
    product = next((one.name for one in city.issuing.products() if _has_enrolment(one.sectors)), None)
    head = (city.issuing.profile.own_numbers or _DIGITS) + city.config.city.code
    # After all that a simulation gives its cards.
    asns = [f"{head}99{day:%y%m%d}{place + 1:04d}" for place in range(_NEWCOMERS)]
    with reading(city.engine) as conn:
        lived = registry.cards_by_asn(conn, asns)
    if lived or product is None:
        return {}
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(asn, product, day) for asn in asns])
    return {asn: InProcessReader(city.issuing.chip(asn, product, day)) for asn in asns}


def have_lunch(campus: Campus, school: School, canteen: Caterer, cards: Mapping[str, Reader]) -> int:
    """Write the meals onto cards, sell each a lunch, and hand that in; give how many the pot paid whole."""
    from citycard.clearing import receive
    from citycard_campus.canteen import Canteen
    from citycard_campus.desk import Desk

    now = campus.now()
    if campus.settings.band_at(now) is None:
        return 0
    desk = Desk(campus, _terminal(campus, school.id, now.date(), 1), school.id)
    till = Canteen(campus, _terminal(campus, canteen.id, now.date(), 2), school.id)
    for reader in cards.values():
        desk.write(reader, now)
    whole = sum(till.sell(reader, now).amount_fen == 0 for reader in cards.values())
    closed = ((post.till.number, post.till.close(now.date(), now)) for post in (desk, till))
    receive(campus.city, [(f"{number}-000001.ccb", content) for number, content in closed if content])
    return whole


def _has_enrolment(sectors: tuple[str, ...] | None) -> bool:
    return sectors is None or ENROLMENT.name in sectors


def _terminal(campus: Campus, partner: str, day: dt.date, place: int) -> str:
    """Open a terminal for a day, so that nobody has to remember where it went on."""
    number = f"{campus.city.config.city.code}8{day:%y%m%d}{place}"
    with writing(campus.engine) as conn:
        registry.add_terminals(conn, [registry.Terminal(number=number, partner=partner, opened_on=day)])
    return number
