"""Points of venues: the schemes that the settings declare, and sales that earn them.

Points stand in the city's wallet, which settles what they are worth between the partners as it happens.
"""

from __future__ import annotations

from uuid import UUID

import attrs

from citycard.city.accounts import add_acceptance, add_rate, make_scheme
from citycard.city.charging import charge
from citycard.errors import PointsRefused
from citycard.ids import derived_id
from citycard.store import reading
from citycard.wallet import ExchangeRate, Points, Scheme, find_account
from citycard_tourism.office import Office
from citycard_tourism.services import SALE

__all__ = ["Sold", "open_schemes", "sell"]


@attrs.frozen(kw_only=True)
class Sold:
    """What a sale came to: fen paid, and points earned."""

    id: UUID
    amount_fen: int
    points: int


def open_schemes(office: Office) -> int:
    """Make the schemes, acceptances and rates of the settings; again without harm. Return how many are new.

    Raise SchemeConflict when a scheme is there with other terms.
    """
    added = 0
    for one in office.settings.schemes:
        wanted = Scheme(
            partner=one.venue,
            title=one.title,
            title_zh=one.title_zh,
            points_per_yuan=one.points_per_yuan,
            rate_fen=one.rate_fen,
            valid_days=one.valid_days,
        )
        added += make_scheme(office.city, wanted)
    for taken in office.settings.acceptances:
        add_acceptance(office.city, taken.scheme, taken.venue, taken.fen)
    for rate in office.settings.rates:
        made = ExchangeRate(source=rate.source, target=rate.target, give=rate.give, get=rate.get)
        add_rate(office.city, made)
    return added


def sell(office: Office, act: UUID, asn: str, venue: str, list_price_fen: int) -> Sold:
    """Sell goods of a venue from an online account, priced by the rules, and give its points; once."""
    where = office.settings.venue(venue)
    done = charge(office.city, act, asn, service=SALE, partner=where.id, list_price_fen=list_price_fen)
    points = 0
    if done.amount_fen and where.id in {one.venue for one in office.settings.schemes}:
        with reading(office.engine) as conn:
            number = find_account(conn, asn).number
        try:
            earning = derived_id("tourism", "earn", act)
            points = Points(office.city.wallet).earn(earning, number, where.id, done.amount_fen).points
        except PointsRefused:
            points = 0  # it is less than one point costs
    return Sold(id=act, amount_fen=done.amount_fen, points=points)
