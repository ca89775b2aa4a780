"""What a card's page shows of culture and leisure: tickets, passes, refunds, visits and loans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Connection, select

from citycard.kernel.services import CitizenLine
from citycard.store import reading
from citycard_tourism.library import loans_of
from citycard_tourism.office import Office
from citycard_tourism.passes import passes_of
from citycard_tourism.sectors import Step
from citycard_tourism.settings import TourismSettings
from citycard_tourism.tables import payment, refund, visit
from citycard_tourism.tickets import tickets_of

__all__ = ["citizen_lines"]

_MOST = 20
_PATH = "/tourism/mine"


def citizen_lines(office: Office, asn: str) -> list[CitizenLine]:
    """Give at most twenty lines about a card, newest first."""
    with reading(office.engine) as conn:
        found = [
            *_tickets(conn, office.settings, asn),
            *_passes(conn, office.settings, asn),
            *_refunds(conn, asn),
            *_visits(conn, office.settings, asn),
            *_loans(conn, asn),
        ]
    return sorted(found, key=lambda line: line.at, reverse=True)[:_MOST]


def _tickets(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    for one in tickets_of(conn, asn, states=("paid", "card", "used", "returned"), limit=_MOST):
        show = next((show for show in settings.shows if show.number == one.show), None)
        title, title_zh = (show.title, show.title_zh) if show else (f"show {one.show}", "")
        yield CitizenLine(
            at=one.made_at,
            title=f"Ticket for {title}, {one.starts:%Y-%m-%d %H:%M}",
            title_zh=f"{title_zh or title}门票，{one.starts:%Y-%m-%d %H:%M}",
            amount_fen=-one.price_fen,
            path=_PATH,
        )


def _passes(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    titles = {plan.number: plan for plan in settings.plans}
    passes = {one.serial: one for one in passes_of(conn, asn, limit=_MOST)}
    query = select(payment).where(payment.c.asn == asn, payment.c.service == "tourism-pass")
    for row in conn.execute(query.order_by(payment.c.at.desc()).limit(_MOST)):
        plan = titles.get(passes[row.serial].plan) if row.serial in passes else None
        title, title_zh = (plan.title, plan.title_zh) if plan else ("Pass", "年票")
        yield CitizenLine(
            at=row.at,
            title=f"{title} extended" if row.turn else title,
            title_zh=f"{title_zh or title}续期" if row.turn else title_zh or title,
            amount_fen=-row.amount_fen,
            path=_PATH,
        )


def _refunds(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = select(refund).where(refund.c.asn == asn, refund.c.state == "given")
    for row in conn.execute(query.order_by(refund.c.at.desc()).limit(_MOST)):
        yield CitizenLine(
            at=row.given_at, title="Given back", title_zh="退款", amount_fen=row.amount_fen, path=_PATH
        )


def _visits(conn: Connection, settings: TourismSettings, asn: str) -> Iterator[CitizenLine]:
    venues = {venue.number: venue for venue in settings.venues}
    query = select(visit).where(visit.c.asn == asn, visit.c.step == int(Step.ENTER))
    for row in conn.execute(query.order_by(visit.c.at.desc()).limit(_MOST)):
        venue = venues.get(row.venue)
        name, name_zh = (venue.name, venue.name_zh) if venue else (f"venue {row.venue}", "")
        yield CitizenLine(at=row.at, title=f"You visited {name}", title_zh=f"您参观了{name_zh or name}")


def _loans(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    for one in loans_of(conn, asn, limit=_MOST):
        at = dt.datetime.combine(one.lent_on, dt.time())
        yield CitizenLine(
            at=at,
            title=f"A book was lent until {one.due_on}" if one.out else "A book was returned",
            title_zh=f"借书，应于{one.due_on}归还" if one.out else "图书已归还",
            amount_fen=-one.fee_fen if one.fee_fen and one.paid else None,
            path=_PATH,
        )
