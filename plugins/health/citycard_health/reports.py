"""What clinics, insurers and venues took and owe, counted from health's own books."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, func, select

from citycard_health.claims import ClaimStatement, open_fen, statements_of
from citycard_health.sports import SportState
from citycard_health.tables import refund, sport, visit

if TYPE_CHECKING:
    from citycard_health.settings import HealthSettings

__all__ = ["ClinicSum", "HealthReport", "InsurerSum", "VenueSum", "report"]


@attrs.frozen(kw_only=True)
class ClinicSum:
    """A clinic's visits: insured + online + purse = price, before what was given back."""

    clinic: str
    visits: int
    price_fen: int
    insured_fen: int
    online_fen: int
    purse_fen: int
    returned_fen: int
    left_fen: int


@attrs.frozen(kw_only=True)
class InsurerSum:
    """What an insurer owes for claims that it has not paid, and its statements."""

    insurer: str
    open_fen: int
    statements: tuple[ClaimStatement, ...]


@attrs.frozen(kw_only=True)
class VenueSum:
    """What sports at a venue took from social-security accounts."""

    venue: str
    entrances: int
    paid_fen: int


@attrs.frozen(kw_only=True)
class HealthReport:
    """Everybody's sums."""

    clinics: tuple[ClinicSum, ...]
    insurers: tuple[InsurerSum, ...]
    venues: tuple[VenueSum, ...]


def report(conn: Connection, settings: HealthSettings) -> HealthReport:
    """Count the visits of each clinic, the claims on each insurer, and the sports at each venue."""
    return HealthReport(
        clinics=tuple(_clinic(conn, one.id) for one in settings.clinics),
        insurers=tuple(
            InsurerSum(
                insurer=one.id, open_fen=open_fen(conn, one.id), statements=tuple(statements_of(conn, one.id))
            )
            for one in settings.insurers
        ),
        venues=tuple(_venue(conn, one.id) for one in settings.sports.venues),
    )


def _clinic(conn: Connection, clinic: str) -> ClinicSum:
    left = visit.c.due_fen - visit.c.purse_paid_fen + visit.c.purse_returned_fen
    sums = (
        func.count(),
        *(
            func.coalesce(func.sum(column), 0)
            for column in (
                visit.c.price_fen,
                visit.c.insured_fen,
                visit.c.subsidy_fen + visit.c.account_fen,
                visit.c.purse_fen,
                left,
            )
        ),
    )
    count, price, insured, online, purse, left_fen = conn.execute(
        select(*sums).where(visit.c.clinic == clinic, visit.c.state != "charging")
    ).one()
    back = select(func.coalesce(func.sum(refund.c.amount_fen), 0)).join(visit, refund.c.visit == visit.c.id)
    return ClinicSum(
        clinic=clinic,
        visits=count,
        price_fen=int(price),
        insured_fen=int(insured),
        online_fen=int(online),
        purse_fen=int(purse),
        returned_fen=int(conn.scalar(back.where(visit.c.clinic == clinic)) or 0),
        left_fen=int(left_fen),
    )


def _venue(conn: Connection, venue: str) -> VenueSum:
    query = select(func.count(), func.coalesce(func.sum(sport.c.amount_fen), 0)).where(
        sport.c.venue == venue, sport.c.state == SportState.PAID.value
    )
    count, paid = conn.execute(query).one()
    return VenueSum(venue=venue, entrances=count, paid_fen=int(paid))
